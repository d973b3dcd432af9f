"""`digest` and `python -m digest`."""

import io
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line; every foreseen error ends in one line and its exit code."""
    from digest.cli import run

    if isinstance(sys.stdout, io.TextIOWrapper):
        # As in files: titles and names have letters that the terminal of a bare machine does not know.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (as long as the process)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
