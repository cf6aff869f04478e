"""Carry an owner's edits of renamed or moved files to the new paths, after an update."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import copier
import yaml

# The names that Copier gives to the sides of its own conflicts.
SIDES = ("before updating", "last update", "after updating")


class Blob(NamedTuple):
    """A file as its owner committed it; an update refuses to start while there is anything else."""

    mode: str
    name: str

    def read(self) -> bytes:
        return git("cat-file", "blob", self.name)

    def set_mode(self, path: Path) -> None:
        path.chmod(int(self.mode[-3:], 8))


def git(*arguments: str, given: bytes = b"") -> bytes:
    result = subprocess.run(["git", *arguments], input=given, capture_output=True, check=False)
    if result.returncode:
        sys.exit(f"git {' '.join(arguments)} failed. {os.fsdecode(result.stderr)}")
    return result.stdout


def committed() -> dict[str, Blob]:
    """The files of the project, by their paths."""
    files = {}
    for line in os.fsdecode(git("ls-tree", "-r", "-z", "HEAD")).split("\0")[:-1]:
        described, path = line.split("\t", 1)
        mode, _, name = described.split()
        files[path] = Blob(mode, name)
    return files


def render(answers_file: str, folder: Path) -> None:
    """Render the version of the last update again, with its answers."""
    answers = yaml.safe_load(git("show", f"HEAD:./{answers_file}"))
    copier.run_copy(
        str(Path(__file__).parent.parent),  # Copier's clone of the template, with all versions
        folder,
        data={name: answer for name, answer in answers.items() if not name.startswith("_")},
        vcs_ref=answers["_commit"],
        defaults=True,
        skip_tasks=True,
        quiet=True,
    )


def ignored(*paths: str) -> bool:
    """Whether git ignores one of them, and so does not know whether its owner deleted it."""
    command = ["git", "check-ignore", *paths]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def remove_empty(folder: Path) -> None:
    while folder != Path() and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def merge(ours: bytes, base: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """All changes in one file, and whether they are in each other's way."""
    if theirs in (base, ours):
        return ours, False
    with tempfile.TemporaryDirectory() as folder:
        for side, content in zip(SIDES, (ours, base, theirs), strict=True):
            (Path(folder) / side).write_bytes(content)
        command = ["git", "merge-file", "--stdout", *SIDES]
        merged = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if merged.returncode > 127:  # not text: it stays as the owner has it
        return ours, True
    return merged.stdout, merged.returncode > 0


def set_unmerged(path: str, mode: str, *contents: bytes) -> None:
    """List a file as git lists the files that a merge left with conflicts."""
    prefix = os.fsdecode(git("rev-parse", "--show-prefix")).strip()
    ours, base, theirs = (
        git("hash-object", "-w", "--stdin", given=content).decode().strip() for content in contents
    )
    stages = enumerate((base, ours, theirs), start=1)
    entries = [f"{mode} {name} {stage}\t{prefix}{path}\0" for stage, name in stages]
    git("update-index", "-z", "--index-info", given=os.fsencode("".join(entries)))


def carry(rendered: Path, old: str, new: str, files: dict[str, Blob]) -> None:
    """Bring one file to its new path; `rendered` is the old one as the last update brought it."""
    mine, here, there = files.get(old), Path(old), Path(new)
    if mine is None:
        if there.is_file() and new not in files and not ignored(old, new):
            there.unlink()  # what the owner deleted does not come back under another name
            remove_empty(there.parent)
        return
    if not mine.mode.startswith("100"):
        return  # a symbolic link, which Copier leaves where it is
    ours = mine.read()
    base = rendered.read_bytes() if rendered.is_file() else None
    if f"{old}.rej" not in files:
        Path(f"{old}.rej").unlink(missing_ok=True)  # of `copier update --conflict rej`
    if new in files or (base is None and there.exists()):
        if ours != base:
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_bytes(ours)
            mine.set_mode(here)
            print(f"{old} stays, because {new} is a file of its own: compare them.")
    elif base is not None and there.is_file():
        theirs = there.read_bytes()
        if (mine.mode == "100755") != bool(rendered.stat().st_mode & 0o100):
            mine.set_mode(there)
        if ours != base:
            merged, conflict = merge(ours, base, theirs)
            there.write_bytes(merged)
            if conflict:
                set_unmerged(new, mine.mode, ours, base, theirs)
                print(f"{new}: you and the template changed the same; resolve the conflict.")
            else:
                print(f"{new} has your changes of {old}.")
    elif here.is_file():
        # The owner's own file in a folder that moves, or one that updates leave to the owner.
        there.parent.mkdir(parents=True, exist_ok=True)
        here.rename(there)
        remove_empty(here.parent)
        print(f"{new} is your {old}, which moved with its folder.")


def main(arguments: list[str]) -> None:
    if len(arguments) < 3 or len(arguments) % 2 == 0:
        sys.exit("rename.py takes the answers file, then an old and a new path for each rename.")
    files = committed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            render(Path(arguments[0]).as_posix(), folder)
        except Exception as error:
            sys.exit(
                "The version of the last update cannot be rendered, so no changes of yours came to "
                f"the renamed files; `git show HEAD:./path` has them. {error}"
            )
        for old, new in zip(arguments[1::2], arguments[2::2], strict=True):
            old, new = old.rstrip("/"), new.rstrip("/")
            below = [p for p in (folder / old, *(folder / old).rglob("*")) if p.is_file()]
            paths = {p.relative_to(folder).as_posix() for p in below}
            if (folder / old).is_dir():
                paths |= {path for path in files if path.startswith(f"{old}/")}
            for path in sorted(paths):
                carry(folder / path, path, new + path.removeprefix(old), files)


if __name__ == "__main__":
    main(sys.argv[1:])
