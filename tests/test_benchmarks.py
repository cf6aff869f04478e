"""The page of the benchmarks is generated from their results."""

from benchmarks.report import page
from benchmarks.results import read
from harness.rendering import ROOT

FOLDER = ROOT / "docs" / "performance"


def test_page_is_generated_from_the_results() -> None:
    generated = page(read(FOLDER / "results.json"), (FOLDER / "reading.md").read_text())
    assert (ROOT / "docs" / "performance.md").read_text() == generated
