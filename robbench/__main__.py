"""``python -m robbench``: the command line, where the script is not on the path."""

from robbench.cli import main

if __name__ == "__main__":
    main()
