"""`python -m hakushi`: the command line, where the package is installed but its script is not."""

import sys

from hakushi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
