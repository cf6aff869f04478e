"""All code in the documentation is executed."""

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import guides
from harness.guides import Guide
from harness.parts import nightly
from harness.rendering import ROOT, render
from harness.running import settings
from harness.servers import Server
from harness.services import Service
from harness.variants import FAMILIES

# Code that is not executed, by document and language: how many blocks, and why.
NOT_EXECUTED = {
    ("README.md", "python"): (2, "excerpts that test_readme.py compares with a rendered service"),
    ("docs/guides/audit.md", "console"): (1, "a run on another service"),
    ("docs/guides/scaffold.md", "console"): (3, "commands that tests/scaffold runs in a service"),
}

# Other names of the executed languages, with which a block would not be executed.
ALIASES = {"bash", "console", "py", "pycon", "python3", "shell", "zsh"}


# The variables of guides that hold the URL of an empty database.
URLS = {
    "POSTGRESQL_URL": ("postgresql", "postgresql+asyncpg"),
    "MARIADB_URL": ("mysql", "mysql+asyncmy"),
}


# MissingGreenlet interrupts this coroutine.
@pytest.mark.filterwarnings("ignore:coroutine 'Connection.cursor' was never awaited")
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(path, id=str(path.relative_to(ROOT / "docs")))
        for path in guides.documents()
        if guides.has_code(path)
    ],
)
def test_every_block_is_executed(
    document: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    servers: Callable[[str], Server],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = document.read_text()
    database = f"guide_{re.sub('[^a-z]', '_', document.stem)}"
    names = {}
    for name, (family, scheme) in URLS.items():
        if name in text:
            server = servers(family)
            server.recreate_database(database)
            names[name] = f"{scheme}://{server.address}/{database}"
    guide = Guide(document, tmp_path, **names)
    guide.run()
    fenced = [line for line, language in guides.fences(text) if language in guides.EXECUTED]
    assert set(fenced) <= set(guide.executed)


MIGRATIONS = ROOT / "docs" / "guides" / "zero-downtime-migrations.md"
# Parts of its setup, and what a service has instead.
SETUP = {
    r"engine = create_async_engine\(POSTGRESQL_URL\)\n": (
        "from app.core.engines import migration_engine\n"
        "from app.settings import Settings\n"
        "engine = migration_engine(Settings())\n"
    ),
    r"class Base\(DeclarativeBase\):\n    metadata = .*?\n    \)\n": (
        "from app.core.models import Base\n"
    ),
}
# Its sections for every database, and the blocks in them that are for PostgreSQL alone.
EVERYWHERE = [
    "Setup of the examples",
    "Add a NOT NULL column",
    "Backfill in batches",
    "Rename a column",
]
ONLY_ON_POSTGRESQL = re.compile("table_filenode|upgrade_region_validate")
RUN = (
    "import sys; from pathlib import Path; sys.path = ['.', *sys.path, sys.argv[1]];"
    "from harness.guides import Guide; Guide(Path('guide.md'), Path('.')).run()"
)


def recipes(family: str) -> str:
    """The recipes for tables with rows on this database, with the setup of a service."""
    text = MIGRATIONS.read_text().split("\n## Change a type\n")[0]
    for old, new in SETUP.items():
        text, count = re.subn(old, new, text, flags=re.DOTALL)
        assert count == 1, old
    chosen = []
    for section in text.split("\n## "):
        title = section.partition("\n")[0]
        if family != "postgresql" and title not in EVERYWHERE:
            continue
        unfit = re.compile("mariadb") if family == "postgresql" else ONLY_ON_POSTGRESQL
        blocks = re.findall(r"^```python\n.*?^```\n", section, re.MULTILINE | re.DOTALL)
        fit = [block for block in blocks if not unfit.search(block)]
        assert fit or title not in EVERYWHERE
        chosen += fit
    return "\n".join([*chosen, "```python\nawait engine.dispose()\n```\n"])


@pytest.mark.parametrize("driver", ["asyncpg", "aiomysql", nightly("aiosqlite")])
def test_recipes_of_migrations_work_in_a_service(
    driver: str, template: Path, tmp_path: Path, servers: Callable[[str], Server]
) -> None:
    """With the naming convention, the keys and the engine of services."""
    family = FAMILIES[driver]
    service = Service(render(template, tmp_path / "service", driver=driver), Path(sys.prefix))
    (service.folder / "guide.md").write_text(recipes(family))
    url = f"sqlite:///{tmp_path}/guide.db"
    if family != "sqlite":
        server = servers(family)
        server.recreate_database("recipes")
        url = f"{family}://{server.address}/recipes"
    output = service.succeed(sys.executable, "-c", RUN, str(ROOT), **settings(url, {}))
    assert output == ""


@pytest.mark.parametrize(
    "document", [ROOT / "README.md", *guides.documents()], ids=lambda p: p.stem
)
def test_code_blocks_have_the_names_of_executed_languages(document: Path) -> None:
    name = str(document.relative_to(ROOT))
    languages = Counter(language for _, language in guides.fences(document.read_text()))
    assert "" not in languages, "a fence without a language: name it text"
    # README.md is not executed: its `shell` blocks install and copy things.
    rejected = guides.EXECUTED if name == "README.md" else ALIASES
    for language in rejected.intersection(languages):
        most, _ = NOT_EXECUTED.get((name, language), (0, ""))
        assert languages[language] <= most, (
            f"{name}: name it python or sh, or add it to NOT_EXECUTED"
        )


@pytest.mark.parametrize(
    ("language", "block", "error"),
    [
        ("python", "assert 1 == 2", AssertionError),
        ("python", "import asyncio\nawait asyncio.sleep(0)\nassert 1 == 2", AssertionError),
        ("sh", "false\ntrue", AssertionError),
        ("sh", 'echo "$NOT_SET"', AssertionError),
        ("python", "invalid syntax", SyntaxError),
    ],
)
def test_failing_block_fails_its_guide(
    tmp_path: Path, language: str, block: str, error: type[Exception]
) -> None:
    document = tmp_path / "guide.md"
    document.write_text(f"# Title\n\n```python\nx = 1\n```\n\n```{language}\n{block}\n```\n")
    guide = Guide(document, tmp_path)
    with pytest.raises(error):
        guide.run()
    assert guide.executed == [3]


@pytest.mark.parametrize(
    "document",
    [*sorted(ROOT.glob("*.md")), *guides.documents()],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_links_lead_to_documents_and_headings_and_inline_code_ends(document: Path) -> None:
    assert guides.broken_links(document) == []
    assert guides.unclosed_code(document.read_text()) == []


def test_commands_of_documents_update_without_asking_every_question_again() -> None:
    commands = [
        line.strip()
        for folder in ("docs/guides", "includes", "template")
        for document in sorted((ROOT / folder).rglob("*"))
        if document.name.endswith((".md", ".md.jinja", ".txt.jinja"))
        for line in document.read_text().splitlines()
        if "uvx copier update" in line
    ]
    assert len(commands) > 5
    assert [command for command in commands if "--skip-answered" not in command] == []


def test_index_links_every_guide() -> None:
    folder = ROOT / "docs" / "guides"
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text())
    assert set(linked) == {path.name for path in folder.glob("*.md")} - {"README.md"}
