# /// script
# requires-python = ">=3.11"
# dependencies = ["copier>=9.19.1,<9.20"]
# ///
"""Add a resource with all its layers, tests and a migration to a service; see `--help`."""

import sys

from scaffolding.command_line import main

if __name__ == "__main__":
    sys.exit(main())
