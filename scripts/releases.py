"""For the release workflow: the versions without a tag, and the notes of a version."""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("untagged", help="print version and commit of each release without a tag")
    commands.add_parser("notes", help="print the section of the changelog").add_argument("version")
    arguments = parser.parse_args()
    if arguments.command == "untagged":
        for version, commit in untagged().items():
            print(version, commit)
    else:
        print(notes(arguments.version))


def untagged() -> dict[str, str]:
    """The released versions without a tag, with their commits."""
    listing = ["git", "tag", "--list"]
    tags = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    released: dict[str, str] = tomllib.loads((ROOT / "releases.toml").read_text())
    return {version: commit for version, commit in released.items() if version not in tags.split()}


def notes(version: str) -> str:
    """The changelog section of a version, without its heading. Exits if there is none."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    sections = re.split(r"^## \[?([^]\s]+).*\n", changelog, flags=re.MULTILINE)
    by_version = dict(zip(sections[1::2], sections[2::2], strict=True))
    if not by_version.get(version, "").strip():
        sys.exit(f"CHANGELOG.md has no section for {version}: write `## [{version}] - <date>`")
    return by_version[version].strip()


if __name__ == "__main__":
    main()
