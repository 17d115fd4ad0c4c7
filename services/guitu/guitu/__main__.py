"""`python -m guitu` is the command line."""

from guitu.cli import main

if __name__ == "__main__":
    main()
