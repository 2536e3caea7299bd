"""``python -m pyfutures``: the command line, where its script is not on the path."""

from pyfutures.cli import main

if __name__ == "__main__":
    main()
