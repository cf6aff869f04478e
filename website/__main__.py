"""Builds the site in `build/site`: `make site`."""

import argparse
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from harness.rendering import ROOT, export
from harness.variants import QUESTIONS
from website.combinations import combinations, few_combinations, presets, total
from website.commands import PROGRAM
from website.data import Store, index_of, release_indexes, size_of, write
from website.pages import build_pages
from website.questions import Questionnaire, key
from website.releases import snapshots
from website.renders import rendered

BUILD = ROOT / "build"
SITE = BUILD / "site"
EXPLORER = Path(__file__).parent / "explorer"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url",
        default=str(ROOT),
        help="where commands copy the template from; this folder by default",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="render only combinations close to the defaults, and no releases, to work on the site",
    )
    options = parser.parse_args()
    unfinished = BUILD / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    build_pages(unfinished, BUILD, options.url)
    build_explorer(unfinished / "explorer", options.url, quick=options.quick)
    shutil.rmtree(SITE, ignore_errors=True)
    unfinished.rename(SITE)
    print(f"{size_of(SITE) / 1e6:.1f} MB. Open {SITE / 'explorer' / 'index.html'} in a browser.")


def build_explorer(folder: Path, url: str, *, quick: bool) -> None:
    """Write the page of the explorer and its data into a folder."""
    questionnaire = Questionnaire(QUESTIONS)
    chosen = (few_combinations if quick else combinations)(questionnaire)
    cache = BUILD / "cache"
    with tempfile.TemporaryDirectory() as template:
        export(Path(template))
        services = [questionnaire.data(answers) for answers in chosen]
        renders = rendered(Path(template), services, cache)
    store = Store()
    index = index_of(questionnaire, chosen, renders, store) | {
        "presets": {name: key(questionnaire.resolve(row)) for name, row in presets().items()},
        "presetFolder": f"{ROOT}/presets" if url == str(ROOT) else "presets",
        "template": url,
        "program": PROGRAM,
        "total": total(questionnaire),
    }
    sets = {"default": {}, "empty": {"examples": []}} | {
        name: {question: row[question] for question in row if question in questionnaire.positions}
        for name, row in presets().items()
    }
    releases = {
        "sets": {name: key(questionnaire.resolve(answers)) for name, answers in sets.items()},
        "versions": release_indexes({} if quick else snapshots(sets, cache), store),
    }
    shutil.copytree(EXPLORER, folder)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        write(folder / "data", index, releases, store, pool.map)


if __name__ == "__main__":
    main()
