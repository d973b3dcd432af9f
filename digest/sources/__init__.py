"""Where papers and the attention they get come from: one file a source, one file a format."""
