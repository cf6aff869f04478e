"""Resources with fields of every type, on each driver and with each kind of accounts."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from allpairspy import AllPairs

from harness.projects import Project, Template
from harness.services import InEnvironment, Service
from harness.variants import AUTHS, DRIVERS, STRUCTURES, Variant
from tests.hostile.attacked import attacking
from tests.hostile.generated import assert_conforms
from tests.scaffold.conftest import Owner

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
TAG = ("tag", "label:str:unique:sort", "parent:ref:tag:optional", "task:ref:project:optional")
ORDER = (
    "purchase_order",
    "number:str:unique:sort:filter",
    "key:str:index",
    "note:text",
    "order:int:sort:filter",
    "rate:float:sort",
    "amount:money:sort:filter",
    "is_paid:bool:filter",
    "due:date:sort:filter",
    "sent_at:datetime:sort:filter",
    "code:uuid:unique",
    "state:enum:draft,other:filter",
    "extra:json",
    "project:ref:filter",
    "parent:ref:purchase_order:optional:filter",
    "task:ref:optional",
    "tags:refs",
    *("comment:text:optional", "count:int:optional:unique", "weight:float:optional"),
    *("price:money:optional", "is_new:bool:optional", "day:date:optional:filter"),
    *("seen_at:datetime:optional", "kind:enum:a,b:optional", "data:json:optional"),
)
MORE = (
    *("title:str:optional", "body:text:optional", "size:int:filter", "share:float"),
    *("fee:money:sort",),
    *("is_open:bool", "level:enum:low,high:filter", "details:json", "owner_name:str:optional"),
    *("paid_on:date:optional:unique", "other:ref:tag:optional", "labels:refs:tag"),
)
# The modules with all tables, where updates add some above the line "Your own tables".
MODELS = {"flat": "models.py", "layered": "models/__init__.py", "by_feature": "models.py"}
PAIRS = [
    Variant(driver, structure, auth, api_keys=auth != "none" and keys)
    for driver, structure, auth, keys in AllPairs([DRIVERS, STRUCTURES, AUTHS, (False, True)])
]


@pytest.mark.nightly
@pytest.mark.parametrize("combined", PAIRS, ids=str)
def test_resources_pass_the_checks_of_the_service(
    owner_of: Callable[[Variant], Owner],
    in_environment: InEnvironment,
    tmp_path: Path,
    combined: Variant,
) -> None:
    """Generated requests cause no 5xx, too; in the end, the resources are undone."""
    owner = owner_of(combined)
    owner.add(*TAG)
    owner.add(*ORDER)
    owner.commit()
    owner.add("purchase_order", *MORE)
    owner.check()
    owner.measure_added(in_environment)
    copy = shutil.copytree(owner.folder, tmp_path / "attacked" / "service")
    with attacking(Service(copy, Path(sys.prefix)), combined, copy.parent) as attacked:
        paths = "--include-path-regex=/(tags|purchase-orders)"
        assert_conforms(attacked, CONFIGURATION, "--mode=all", "--max-examples=30", paths)
    owner.add("purchase_order", "--undo", "--unapplied")
    assert owner.status() == ""
    owner.add("purchase_order", "--undo", "--unapplied")
    owner.add("tag", "--undo", "--unapplied")
    created = {line.split()[-1] for line in owner.status().splitlines()}
    assert ".scaffold.json" in created
    owner.commit()
    assert not owner.content().keys() ^ owner.original.keys()
    assert owner.content() == owner.original


@pytest.mark.nightly
@pytest.mark.parametrize("structure", STRUCTURES)
def test_update_of_the_template_applies_without_a_conflict(tmp_path: Path, structure: str) -> None:
    template = Template.clone(tmp_path / "template")
    project = Project.copy(
        template, tmp_path / "service", driver="aiosqlite", structure=structure, auth="jwt"
    )
    environment = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "PYTHONDONTWRITEBYTECODE": "1"}
    owner = Owner(project.folder, environment)
    owner.add(*TAG)
    owner.add(*ORDER)
    owner.commit()
    template.replace(
        "includes/features/projects/projects/crud.py.jinja",
        '    """Delete the project; the database deletes its tasks."""\n',
        '    """Delete the project, and by the database its tasks."""\n',
    )
    template.replace(
        "template/tests/conftest.py.jinja",
        "    # Your own go",
        "    # Fixtures of a later release.\n    # Your own go",
    )
    template.replace(
        f"template/{{% if structure == '{structure}' %}}app{{% endif %}}/{MODELS[structure]}.jinja",
        "# Your own tables",
        "# Tables of a later release.\n# Your own tables",
    )
    template.release()
    project.update()
    assert not project.conflicts()
    owner.check()
    owner.commit()
    owner.add("purchase_order", *MORE)
    owner.check()
