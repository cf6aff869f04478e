"""Measures rendered services and references, and writes `docs/performance`."""

import argparse
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report
from benchmarks.bench import Bench
from benchmarks.machine import this_machine
from benchmarks.results import Results, failures, read, write
from benchmarks.schedule import SMOKE, Schedule
from benchmarks.sections import SECTIONS
from harness.rendering import ROOT

DOCS = ROOT / "docs"


def main() -> None:
    options = parse()
    schedule = SMOKE if options.smoke else Schedule()
    given = {name: getattr(options, name) for name in ("seconds", "rounds")}
    schedule = replace(
        schedule, **{name: value for name, value in given.items() if value is not None}
    )
    if options.largest:
        schedule = replace(schedule, rows=(*schedule.rows, 10**7))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        file = (folder if options.smoke else DOCS) / "performance" / "results.json"
        results = read(file) if file.exists() else Results(this_machine())
        bench = Bench(folder, schedule, stack)
        broken = []
        for name in options.only:
            try:
                results = replace(run(bench, name, results), machine=this_machine())
            except Exception:
                # The others are measured all the same; this one keeps its results.
                traceback.print_exc()
                broken.append(f"{name} broke off")
            write(results, file)
        report.write(file)
    failed = broken + failures(results)
    sys.exit("\n".join(failed) if failed else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add(
        "--smoke",
        action="store_true",
        help="run each section once and briefly, without writing to docs",
    )
    add("--largest", action="store_true", help="measure growth up to ten million rows")
    add(
        "--only",
        type=names,
        default=list(SECTIONS),
        help=f"sections to run, of {','.join(SECTIONS)}; the others keep their results",
    )
    add("--seconds", type=float, help="duration of each measurement")
    add("--rounds", type=int, help="number of measurements of each contender with each workload")
    return parser.parse_args()


def names(text: str) -> list[str]:
    found = text.split(",")
    if unknown := set(found) - set(SECTIONS):
        raise argparse.ArgumentTypeError(f"unknown section: {min(unknown)}")
    return found


def run(bench: Bench, name: str, results: Results) -> Results:
    """Run a section; returns the results with its own replaced."""
    began = time.monotonic()
    print(f"{name} …", end=" ", flush=True)
    _, section = SECTIONS[name]
    found = section.measure(bench)
    dates = results.dates | {name: datetime.now(UTC).isoformat(timespec="seconds")}
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    return replace(results, dates=dates, **{name: found})


if __name__ == "__main__":
    main()
