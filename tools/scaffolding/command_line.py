"""The command line: `scaffold.py invoice number:str:unique state:enum:draft,sent project:ref`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from scaffolding.errors import Refused
from scaffolding.runs import add
from scaffolding.service import Service
from scaffolding.undo import undo

HELP = """\
Run this in the folder of a service. It writes the model, schemas, CRUD functions, endpoints, tests,
a fixture and a migration, in the structure of the service:

  TOOL=../copier-fastapi-async/tools/scaffold.py
  uv run $TOOL invoice number:str:unique state:enum:draft,sent,paid due:date:optional project:ref

A field is written NAME:TYPE, and then any of :optional, :unique, :index, :filter and :sort.

types:
  str text int float money bool date datetime uuid json
  enum:VALUE,VALUE    one of these values
  ref                 another resource, of the same name; or ref:NAME
  refs                several of them; or refs:NAME

To add fields, run it again with them. Commit first: it touches no files with uncommitted changes.

exit status: 0 if all was written, 1 if nothing was
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise Refused(f"{message[0].upper()}{message[1:]}; see --help.")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="scaffold.py", formatter_class=argparse.RawDescriptionHelpFormatter, description=HELP
    )
    parser.add_argument(
        "resource", help="its name in the singular, such as invoice or purchase_order"
    )
    parser.add_argument("fields", nargs="*", metavar="FIELD", help="NAME:TYPE, and modifiers")
    parser.add_argument("--plural", help="the plural, if it is irregular")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the changes as a diff, and write nothing"
    )
    parser.add_argument("--undo", action="store_true", help="undo the newest run for this resource")
    parser.add_argument(
        "--unapplied",
        action="store_true",
        help="with --undo, if the database is unreachable: the migration was never applied",
    )
    try:
        options = parser.parse_intermixed_args(arguments)
        service = Service(Path.cwd())
        if options.undo:
            if options.fields:
                raise Refused("--undo undoes a whole run: leave the fields out.")
            text = undo(service, options.resource, options.dry_run, options.unapplied)
        else:
            text = add(service, options.resource, options.fields, options.plural, options.dry_run)
        print(text, end="")
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0
