"""What each release renders with a few sets of answers."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.projects import releases
from harness.rendering import ROOT
from website.renders import Renders, rendered

Sets = Mapping[str, dict[str, Any]]


def snapshots(sets: Sets, cache: Path) -> dict[str, dict[str, dict[str, str]]]:
    """The texts by path, by set of answers, by release; only of sets that a release knows."""
    return {version: snapshot(commit, sets, cache) for version, commit in releases().items()}


def snapshot(commit: str, sets: Sets, cache: Path) -> dict[str, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        template = checked_out(commit, Path(folder))
        configuration = yaml.safe_load((template / "copier.yml").read_text())
        known = {name: answers for name, answers in sets.items() if knows(configuration, answers)}
        renders: Renders = rendered(template, list(known.values()), cache)
        return {name: renders.files(index) for index, name in enumerate(known)}


def checked_out(commit: str, folder: Path) -> Path:
    """Write the files of a commit into a folder."""
    command = ["git", "archive", commit]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if result.returncode:
        raise SystemExit(
            f"The history has no commit {commit} of releases.toml: run `git fetch --unshallow`."
        )
    with tarfile.open(fileobj=io.BytesIO(result.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def knows(configuration: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    """Whether a release has these questions and answers."""
    for name, answer in answers.items():
        if name not in configuration:
            return False
        choices = configuration[name].get("choices")
        given = answer if isinstance(answer, list) else [answer]
        if choices and not set(given) <= set(dict(choices).values()):
            return False
    return True
