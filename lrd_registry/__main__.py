"""`python -m lrd_registry`: the command line."""

from lrd_registry.cli import main

if __name__ == "__main__":
    main()
