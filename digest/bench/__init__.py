"""`digest bench`: the whole delivery on invented readers and papers, measured; nothing of the operator's is read or written."""
