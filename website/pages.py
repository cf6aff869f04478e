"""The documentation, built by Sphinx from the Markdown files of the repository."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from shlex import quote

from harness.rendering import ROOT

DOCS = Path(__file__).parent / "docs"
# The files of the repository that are pages, and where the site has them.
PAGES = {
    "docs/guides": "guides",
    "docs/decisions": "decisions",
    "docs/performance": "performance",
    "docs/performance.md": "performance.md",
    "docs/reliability.md": "reliability.md",
    "docs/scaling.md": "scaling.md",
    "CHANGELOG.md": "changelog.md",
}
# Drafts of pages, such as parts of performance.md, have no page of their own.
PARTS = {"performance/reading.md", "performance/references.md", "performance/results.json"}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
# Lists the other pages of its folder in the sidebar.
FOLDER = """
```{toctree}
:hidden:
:glob:

*
```
"""
DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)\n", re.MULTILINE)
URL = re.compile(r"[a-z]+:")


def build_pages(site: Path, work: Path, template: str) -> None:
    """Write the pages into the folder of the site. Broken links are errors.

    `template` is where the command of the first page copies from.
    """
    source = work / "pages"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DOCS, source)
    first = source / "index.md"
    first.write_text(first.read_text().replace("TEMPLATE", quote(template)))
    for name, target in PAGES.items():
        for path in files_of(ROOT / name):
            copy = source / target / path.relative_to(ROOT / name)
            if copy.relative_to(source).as_posix() in PARTS:
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".md":
                copy.write_text(with_links(path, copy, source))
            else:
                shutil.copyfile(path, copy)
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    doctrees = ["-d", str(work / "doctrees")]
    subprocess.run([*command, *doctrees, str(source), str(site)], check=True)
    (site / ".buildinfo").unlink(missing_ok=True)
    shutil.rmtree(site / "_sources")  # empty, but created


def files_of(path: Path) -> list[Path]:
    """The file, or the files in the folder."""
    return [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]


def with_links(page: Path, copy: Path, source: Path) -> str:
    """The text of a page with links to the other pages; links to other files become plain text."""
    text = page.read_text()
    for name, address in DEFINITION.findall(text):
        if not URL.match(address):
            text = text.replace(f"[{name}]: {address}\n", "").replace(f"[{name}]", name)

    def link(match: re.Match[str]) -> str:
        text, address, fragment = match.groups()
        if URL.match(address):
            return match[0]
        target = place_of((page.parent / address).resolve())
        if target is None:
            return text
        up = "../" * (len(copy.relative_to(source).parts) - 1)
        return f"[{text}]({up}{target}{fragment or ''})"

    return LINK.sub(link, text) + (FOLDER if page.name == "README.md" else "")


def place_of(path: Path) -> str | None:
    """Where the site has a file of the repository, or None."""
    for name, target in PAGES.items():
        if path == ROOT / name:
            return f"{target}/README.md" if path.is_dir() else target
        if path.is_relative_to(ROOT / name):
            place = f"{target}/{path.relative_to(ROOT / name).as_posix()}"
            return None if place in PARTS else place
    return None
