"""Compare the services that two revisions of the template render, byte for byte.

For refactorings that must not change a service: `python -m scripts.compare_renders` compares the
work tree with HEAD, or with another revision given by `--base`. It covers the files of new services
and the files that only an update renders, without random secrets and the path of the template. The
exit status is 1 if any render differs.
"""

import argparse
import difflib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from harness.copier_speed import speed_up_copier
from harness.rendering import ROOT, comparable, export, render
from harness.variants import EVERY, SELECTION, Variant

LINES_SHOWN = 40


@dataclass(frozen=True)
class Case:
    """Answers; for an update also the previous answers of the service."""

    variant: Variant
    previous: Variant | None = None
    further: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        parts = [str(self.variant), *(f"{name}={value}" for name, value in self.further)]
        return " ".join([*parts, *([f"(previously {self.previous})"] if self.previous else [])])


def cases(variants: list[Variant]) -> Iterator[Case]:
    """New services, and updates that add accounts, deselect examples or change the database."""
    for variant in variants:
        yield Case(variant)
        if variant.auth == "none" and not variant.sync_session:
            for owners in ("one_account", "by_hand"):
                further = (("existing_rows", owners), ("newest_migration", "0042_mine"))
                yield Case(replace(variant, auth="jwt"), variant, further)
        if variant.examples and not variant.sync_session and not variant.sqlite_in_development:
            yield Case(replace(variant, examples=()), variant)
    for previous in SELECTION:
        for driver in ("aiosqlite", "asyncpg", "asyncmy"):
            yield Case(replace(previous, driver=driver, dev_database="same"), previous)


def files_of(template: Path, case: Case) -> dict[str, str]:
    """The rendered files by path, without secrets and the path of the template."""
    with tempfile.TemporaryDirectory() as folder:
        service = Path(folder) / "service"
        if case.previous:
            service.mkdir()
            answers = {"service_name": "My Service", **case.previous.answers}
            (service / ".copier-answers.yml").write_text(yaml.safe_dump(answers))
        answers = {**case.variant.answers, **dict(case.further)}
        render(template, service, overwrite=True, **answers)
        return comparable(service, template)


def difference(templates: tuple[Path, Path], case: Case) -> str:
    """The difference between two renders as text, empty if there is none."""
    old, new = (files_of(template, case) for template in templates)
    return "".join(
        line if line.endswith("\n") else f"{line}\n"
        for name in sorted(old.keys() | new.keys())
        for line in difflib.unified_diff(
            old.get(name, "").splitlines(keepends=True),
            new.get(name, "").splitlines(keepends=True),
            f"before/{name}",
            f"after/{name}",
        )
    )


def compare(job: tuple[tuple[Path, Path], Case]) -> str:
    """`difference` with one argument, for `ProcessPoolExecutor.map`."""
    return difference(*job)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--base", default="HEAD", help="revision to compare with")
    parser.add_argument(
        "--quick", action="store_true", help="compare only the pairwise selection of variants"
    )
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    archive = subprocess.run(
        ["git", "archive", options.base], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        base, working_tree = Path(folder, "base"), export(Path(folder, "working_tree"))
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(base, filter="data")
        todo = list(dict.fromkeys(cases(SELECTION if options.quick else EVERY)))
        jobs = [((base, working_tree), case) for case in todo]
        differing = 0
        with ProcessPoolExecutor(options.processes, initializer=speed_up_copier) as pool:
            for case, text in zip(todo, pool.map(compare, jobs, chunksize=8), strict=True):
                if text:
                    differing += 1
                    print(f"== {case}", *text.splitlines()[:LINES_SHOWN], sep="\n")
    print(f"{len(todo)} renders compared with {options.base}: {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
