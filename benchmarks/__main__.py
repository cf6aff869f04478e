"""Measures the rendered service next to its references, and writes `docs/performance`."""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report
from benchmarks.bench import Bench
from benchmarks.machine import this_machine
from benchmarks.pace import SMOKE, Pace
from benchmarks.results import Results, failures, read, write
from benchmarks.sections import SECTIONS
from harness.rendering import ROOT

DOCS = ROOT / "docs"


def main() -> None:
    options = parse()
    pace = SMOKE if options.smoke else Pace()
    given = {name: getattr(options, name) for name in ("seconds", "rounds")}
    pace = replace(pace, **{name: value for name, value in given.items() if value is not None})
    if options.largest:
        pace = replace(pace, rows=(*pace.rows, 10**7))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        file = (folder if options.smoke else DOCS) / "performance" / "results.json"
        results = read(file) if file.exists() else Results(this_machine())
        bench = Bench(folder, pace, stack)
        measured = run(bench, options.sections, replace(results, machine=this_machine()))
        write(measured, file)
        report.write(file)
    failed = failures(measured)
    sys.exit("\n".join(failed) if failed else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--smoke", action="store_true", help="each section once and short; docs stay as they are")
    add("--largest", action="store_true", help="growth to ten million rows")
    add("--sections", type=names, default=list(SECTIONS), help=f"some of {','.join(SECTIONS)}")
    add("--seconds", type=float, help="of each measurement")
    add("--rounds", type=int, help="measurements of each contender at each work")
    return parser.parse_args()


def names(text: str) -> list[str]:
    found = text.split(",")
    if unknown := set(found) - set(SECTIONS):
        raise argparse.ArgumentTypeError(f"no such section: {min(unknown)}")
    return found


def run(bench: Bench, sections: list[str], results: Results) -> Results:
    """The results with those of these sections replaced."""
    for name in sections:
        began = time.monotonic()
        print(f"{name} …", end=" ", flush=True)
        _, section = SECTIONS[name]
        found = section.measure(bench)
        dates = results.dates | {name: datetime.now(UTC).isoformat(timespec="seconds")}
        results = replace(results, dates=dates, **{name: found})
        print(f"{time.monotonic() - began:.0f} s", flush=True)
    return results


if __name__ == "__main__":
    main()
