"""Which components were tested, by `make test-real`: `docs/tested-on.json` and a table of it.

`python -m harness.components` writes the table into the README.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from harness.rendering import ROOT

TESTED_ON = ROOT / "docs" / "tested-on.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- tested on -->\n", "<!-- end -->\n"
# What the table lists: a row without a run says so.
COMPONENTS = {
    "MySQL": "suites of asyncmy and aiomysql; replicas, failover and jobs; transfer; restore drill",
    "Galera": "suites; conflicts; nodes that fail, join and send rows; two nodes at once",
    "Docker": "Dockerfile and compose.yaml of each database, with workers, on stand-in base images",
    "Python 3.12": "a service's suite",
    "Python 3.13": "a service's suite",
    "Python 3.14": "a service's suite",
    "act": "jobs of the workflows, with stubs of actions",
    "zizmor": "workflows",
    "actionlint": "workflows",
    "hadolint": "Dockerfile",
    "oidc-provider": "tokens of an OpenID provider; a login in /docs, in Chromium",
    "Chromium": "cookie sessions, and pages of other origins",
    "axe-core": "the explorer: every answer, both themes, keyboard, accessibility, in Chromium",
    "Prometheus": "metrics of a service, alerts and queries of the dashboard",
    "nginx": "its configuration in docs/operating.md: events, tags, keys, WebSockets",
    "Postfix": "links in delivered mails; rejected mails; outages",
    "Dev Container CLI": "devcontainer.json",
}


@dataclass
class Tested:
    """A run with a component, whose version and result it had."""

    component: str
    version: str
    date: str
    passed: bool


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def read() -> dict[str, Tested]:
    """The last run with each component."""
    rows = json.loads(TESTED_ON.read_text()) if TESTED_ON.exists() else []
    return {row["component"]: Tested(**row) for row in rows}


def record(runs: Iterable[Tested]) -> None:
    """Replace the runs with these components in the file, and the table in the README."""
    merged = read() | {run.component: run for run in runs}
    rows = [asdict(merged[component]) for component in COMPONENTS if component in merged]
    TESTED_ON.write_text(json.dumps(rows, indent=2) + "\n")
    README.write_text(with_table(README.read_text()))


def table() -> str:
    """Return the rows of `COMPONENTS` with their last run, as Markdown."""
    runs = read()
    lines = ["| Component | What is tested | Version | Date | Result |", "|---|---|---|---|---|"]
    for component, what in COMPONENTS.items():
        run = runs.get(component)
        result = "passed" if run and run.passed else "failed" if run else "not run"
        version, date = (run.version, run.date) if run else ("", "")
        lines.append(f"| {component} | {what} | {version} | {date} | {result} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """Return the README with the table of today's file."""
    before, found, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert found, f"README.md has no line {BEGIN.strip()}"
    assert end, f"README.md has no line {END.strip()} after it"
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
