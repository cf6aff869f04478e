# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""Run the audit from its folder, without installation."""

import sys
from pathlib import Path

# Run as a script, Python puts this folder on the path instead of the one that contains it.
if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from audit_async.command_line import main

if __name__ == "__main__":
    sys.exit(main())
