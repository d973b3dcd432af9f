"""`digest` and `python -m digest`."""

import sys


def main() -> None:
    """Run the command line; every foreseen error ends in one line and its exit code."""
    from digest.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
