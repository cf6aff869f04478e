"""The template that a service comes from, and its rendering with and without the resource."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import copier
from copier._template import Template as CopierTemplate
from copier.errors import CopierError
from plumbum.commands import ProcessExecutionError

from scaffolding.errors import Refused

FIRST_RELEASE = (2, 8)
LAYERS = ("models", "schemas", "crud", "services", "routes")
PARTIALS = Path("includes", "scaffold")
# Folders that a resource does not change: leaving them out saves time.
OTHERS = (
    *("/.devcontainer", "/.github", "/app/core", "/app/mails", "/docs", "/migrations"),
    *("/monitoring", "/tests/core"),
)


OLDER = (
    "The release of the template that wrote this service cannot add resources: run"
    " `copier update`, to 2.8.0 or later, and try again."
)


def check_release(answers: Mapping[str, Any]) -> None:
    """Refuse a service of an older release: its modules can differ from what the tool reads."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.\d+", str(answers.get("_commit", "")))
    if found and (int(found[1]), int(found[2])) < FIRST_RELEASE:
        raise Refused(OLDER)


@contextmanager
def fetched(answers: Mapping[str, Any], commit: str) -> Iterator[Path]:
    """Yield a copy of the template at a commit, or of a folder without git as it is."""
    source = str(answers["_src_path"])
    if not re.search("[:@]", source) and not Path(source).expanduser().is_dir():
        raise Refused(
            f"There is no template in {source}, the `_src_path` in .copier-answers.yml: write its"
            " URL or absolute path there, which `copier update` needs, too."
        )
    shown = without_password(source)
    template = CopierTemplate(url=source, ref=commit or None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            found = template.local_abspath
            copy = Path(folder, "template")
            shutil.copytree(found, copy, ignore=shutil.ignore_patterns(".git", ".venv"))
        except (CopierError, ProcessExecutionError, OSError, ValueError) as error:
            raise Refused(
                f"The template cannot be fetched from {shown}{f' at {commit}' if commit else ''}"
                f" ({reason(error)}): correct `_src_path` in .copier-answers.yml, or run"
                " `copier update` first."
            ) from error
        finally:
            template._cleanup()
        if not (copy / PARTIALS).is_dir():
            raise Refused(OLDER)
        yield copy


def reason(error: Exception) -> str:
    """Return the last line that git printed, if it did."""
    lines = str(getattr(error, "stderr", "")).split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), type(error).__name__)
    return without_password(last).rstrip(".")


def without_password(text: str) -> str:
    return re.sub("//[^/@]*@", "//", text)


def add_room(template: Path, resource: Mapping[str, Any], *, accounts: bool) -> None:
    """Add a resource to a template, as CONTRIBUTING.md describes for an example."""
    plural = resource["plural"]
    room = template / "includes" / "features" / f"scaffold_{plural}"
    layers = [layer for layer in LAYERS if layer != "services" or refers(resource)]
    for partial in sorted((template / PARTIALS).rglob("*.py.jinja")):
        source = partial.relative_to(template / PARTIALS)
        name = source.name.removesuffix(".py.jinja")
        if source.parent == Path("tests"):
            target = Path("tests", {"test_resource": f"test_{plural}"}.get(name, name))
        elif name == "fixtures":
            target = Path("tests", "fixtures", plural)
        elif name == "__init__" or name in layers:
            target = Path(plural, name)
        elif name in LAYERS:
            continue
        else:
            target = Path(name)
        if target == Path("tests", "authorization") and not accounts:
            continue
        path = room / target.with_name(f"{target.name}.py.jinja")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"{{% set resource = {dict(resource)!r} %}}\n"
            f"{{% include '{(PARTIALS / source).as_posix()}' %}}\n"
        )
    row = (
        f"    {plural}: {{of: scaffold_{plural}, layers: [{', '.join(layers)}],"
        f" layered: {{models: {resource['name']}, schemas: {resource['name']}}}}}\n"
    )
    questions = template / "copier.yml"
    text = questions.read_text()
    for block, line in (("entities", row), ("features", f"    scaffold_{plural}: true\n")):
        end = text.index("\n\n", text.index(f"\n{block}:\n")) + 1
        text = text[:end] + line + text[end:]
    questions.write_text(text)


def refers(resource: Mapping[str, Any]) -> bool:
    return any(field["target"] for field in resource["fields"])


def rendered(template: Path, answers: Mapping[str, Any], folder: Path) -> Path:
    """Render the modules and tests of a service, without what every service has."""
    given = {name: value for name, value in answers.items() if not name.startswith("_")}
    copier.run_copy(
        str(template),
        folder,
        data=given,
        defaults=True,
        quiet=True,
        unsafe=False,
        exclude=OTHERS,
        skip_tasks=True,
    )
    return folder
