"""Rendering the work tree as a user does: by Copier, without trust and without questions."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier

ROOT = Path(__file__).parent.parent
# The command `copier`, in less time. -P: the modules beside the script are not imported.
COPIER = (sys.executable, "-P", str(ROOT / "harness" / "copier_speed.py"))
# The only text of a service that is random.
SECRET = re.compile(r"(?<=^SECRET_KEY=development-)\w{64}$", re.MULTILINE)


def export(folder: Path) -> Path:
    """Copy the files that git does not ignore, so that Copier sees no tags and no caches."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return folder


def render(template: Path, service: Path, *, overwrite: bool = False, **answers: Any) -> Path:
    """Run `copier copy` without trust and without questions."""
    copier.run_copy(
        str(template),
        service,
        data=answers,
        defaults=True,
        overwrite=overwrite,
        unsafe=False,
        quiet=True,
    )
    return service


def comparable(service: Path, template: Path) -> dict[str, str]:
    """The texts of a service by path, without its secret and the path of the template."""
    return {
        path.relative_to(service).as_posix(): SECRET.sub(
            "SECRET", path.read_text().replace(str(template), "TEMPLATE")
        )
        for path in sorted(service.rglob("*"))
        if path.is_file()
    }
