"""Instructions of requests to a rendered service: `python -m benchmarks.instructions FOLDER`.

Callgrind counts them, so that they can be compared before and after a change on a busy machine. The
service is of any driver and structure; with accounts, the requests are authenticated.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

import yaml

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.schedule import Schedule
from benchmarks.sections.instructions import count
from benchmarks.workloads import (
    CREATE,
    LIST,
    READ,
    SUMMARY,
    UNCHANGED,
    WITH_TASKS,
    unchanged,
    workloads,
)

WORKLOADS = {
    "read": READ,
    "unchanged": UNCHANGED,
    "list": LIST,
    "project": WITH_TASKS,
    "summary": SUMMARY,
    "create": CREATE,
}


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=list(WORKLOADS), help="read,list,…"
    )
    options = parser.parse_args()
    names = [WORKLOADS[name] for name in options.only]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="instructions-")))
        bench = Bench(folder, Schedule(), stack)
        for service in options.folders:
            answers = yaml.safe_load((service / ".copier-answers.yml").read_text())
            driver, accounts = answers["driver"], answers["auth"] == "jwt"
            contender = Contender("service", driver, service.resolve(), accounts)
            database = bench.database(driver, accounts=accounts)
            asked = workloads(database.data) | {UNCHANGED: unchanged(database.data)}
            for name in names:
                [found] = count(contender, database, {name: asked[name]}, bench.schedule)
                print(f"{service.name:30} {name:25} {found.thousands:8,.0f} k", flush=True)


if __name__ == "__main__":
    main()
