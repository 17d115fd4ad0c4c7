"""`python -m guitu` is the command line."""

import sys

if __name__ == "__main__":
    try:
        from guitu.cli import main

        main()
    except KeyboardInterrupt:
        # Ctrl-C while Python was still importing.
        sys.exit(130)
