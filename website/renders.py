"""Renders of many combinations of answers, in parallel, each text kept once.

They are cached in `build/cache` until the template or the combinations change.
"""

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from tqdm import tqdm

from harness.copier_speed import speed_up_copier
from harness.rendering import comparable, render

# What renders depend on.
SOURCES = ("copier.yml", "includes", "template")
# The texts that this process has returned.
returned: set[str] = set()


@dataclass
class Renders:
    """For each combination the digest of each file by path, and the text of each digest."""

    services: list[dict[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def add(self, service: dict[str, str], texts: dict[str, str]) -> None:
        self.services.append(service)
        self.texts |= texts

    def files(self, index: int) -> dict[str, str]:
        """The texts of a service by path."""
        return {path: self.texts[digest] for path, digest in self.services[index].items()}


def rendered(template: Path, answers: Sequence[dict[str, Any]], cache: Path) -> Renders:
    """Render a template with each of these answers, or return what an earlier call rendered."""
    kept = cache / f"{digest_of(template, answers)}.json.gz"
    if kept.exists():
        content = json.loads(gzip.decompress(kept.read_bytes()))
        return Renders(content["services"], content["texts"])
    renders = Renders()
    with ProcessPoolExecutor(os.cpu_count(), initializer=speed_up_copier) as pool:
        results = pool.map(partial(only_new, template), answers, chunksize=4)
        for service, texts in tqdm(results, "rendering", len(answers), disable=None):
            renders.add(service, texts)
    cache.mkdir(parents=True, exist_ok=True)
    content = {"services": renders.services, "texts": renders.texts}
    kept.write_bytes(gzip.compress(json.dumps(content).encode(), compresslevel=3))
    return renders


def service_files(template: Path, answers: dict[str, Any]) -> dict[str, str]:
    """Render a service, and return its texts by path."""
    folder = Path(tempfile.mkdtemp())
    try:
        files = comparable(render(template, folder / "service", **answers), template)
    finally:
        shutil.rmtree(folder)
    return files


def only_new(template: Path, answers: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The digests of a service by path, and the texts that this process has not returned yet."""
    digests, texts = by_digest(service_files(template, answers))
    new = {digest: text for digest, text in texts.items() if digest not in returned}
    returned.update(new)
    return digests, new


def by_digest(files: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The digests of texts by path, and the texts by digest."""
    digests = {path: sha256(text.encode()).hexdigest()[:16] for path, text in files.items()}
    return digests, {digest: files[path] for path, digest in digests.items()}


def digest_of(template: Path, answers: Sequence[dict[str, Any]]) -> str:
    """A name for the renders of a template with these answers."""
    digest = sha256(json.dumps(answers).encode())
    for source in SOURCES:
        root = template / source
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(template).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
