"""Every file of a feature is rendered: a misspelled name would vanish without an error."""

import ast
import re
from typing import Any

import pytest
import yaml

from harness.variants import AUTHS, Variant
from tests.template.modules import QUESTIONS, ROOT, STRUCTURES, environment

FOLDER = ROOT / "includes" / "features"
SCAFFOLD = ROOT / "includes" / "scaffold"
FEATURES = re.findall(r"(?m)^(\w+):", QUESTIONS["features"]["default"])
ENTITIES: dict[str, dict[str, Any]] = QUESTIONS["entities"]["default"]
LAYERS = {"models", "schemas", "crud", "services", "routes"}
MIGRATIONS = sorted(FOLDER.glob("adds_*/migrations/versions/*.py.jinja"))
FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file())
# What reads files: templates, their paths, and copier.yml.
READERS = {
    path: f"{path.relative_to(ROOT)}\n{path.read_text()}"
    for folder in ("template", "includes")
    for path in (ROOT / folder).rglob("*")
    if path.is_file()
} | {ROOT / "copier.yml": (ROOT / "copier.yml").read_text()}
TEXTS = "\n".join(READERS.values())
# Macros of rooms.jinja read slots (`feature_files('env.jinja')`); a slot of one feature is read by
# the end of its path (`'includes/features/' ~ name ~ '/upsert.md.jinja'`).
SLOTS = set(
    re.findall(r"(?:feature_files\(|requirements\(|without=)'([\w.]+\.jinja)'", TEXTS)
    + re.findall(r"'includes/features/' ~ .* ~ '/(\w+\.\w+\.jinja)'", TEXTS)
)


def features_with(entity: str) -> list[str]:
    """The features that have the modules of this entity; a service has one of them."""
    features = ENTITIES[entity]["of"]
    return features if isinstance(features, list) else [features]


def folders_of_files() -> set[str]:
    """The folders whose files have the same path in every structure."""
    text = (ROOT / "includes" / "files.jinja").read_text()
    match = re.search(r"{% for folder in (\[.*?\]) %}", text)
    assert match
    return set(ast.literal_eval(match[1]))


def sources() -> tuple[set[str], set[str]]:
    """The sources of entities by name, and those of files by path, when every feature is on."""
    answers: dict[str, Any] = {
        "features": dict.fromkeys(FEATURES, True),
        "entities": ENTITIES,
        "entity_features": {entity: features_with(entity)[0] for entity in ENTITIES},
        "_copier_conf": {"src_path": ROOT},
        "deployed_name": "my-service",
        # Every migration that an update may add.
        "added_migrations": {path.name.split(".")[0]: {"file": path.stem} for path in MIGRATIONS},
    }
    jinja = environment()
    found = {
        name: {
            structure: {
                source
                for sources in yaml.safe_load(
                    jinja.get_template(f"includes/{name}.jinja").render(
                        structure=structure, **answers
                    )
                ).values()
                for source in sources
            }
            for structure in STRUCTURES
        }
        for name in ("layout", "files")
    }
    assert found["layout"]["flat"] == found["layout"]["layered"]
    assert found["layout"]["by_feature"] >= found["layout"]["flat"]
    return found["layout"]["by_feature"], found["files"]["flat"]


def test_each_feature_has_a_row_and_a_folder() -> None:
    assert len(FEATURES) == len(set(FEATURES))
    assert {path.name for path in FOLDER.iterdir()} == set(FEATURES)
    assert {path.parts[0] for path in FILES} == set(FEATURES), "a folder without files"


def test_each_entity_has_a_row_and_its_layers_have_files() -> None:
    described = {
        f"{feature}/{entity}/{layer}.py.jinja"
        for entity, row in ENTITIES.items()
        for feature in features_with(entity)
        for layer in ["__init__", *row["layers"]]
    }
    there = {
        path.as_posix()
        for path in FILES
        if len(path.parts) == 3 and path.parts[1] not in folders_of_files()
    }
    assert there == described
    for entity, row in ENTITIES.items():
        assert row.keys() <= {"of", "layers", "layered", "owned"}, entity
        assert set(features_with(entity)) <= set(FEATURES), entity
        assert row.get("layered", {}).keys() <= set(row["layers"]) <= LAYERS, entity
        assert len(row["layers"]) == len(set(row["layers"])), entity


def test_table_of_an_owned_entity_fits_the_migration_that_adds_accounts() -> None:
    """The migration replaces the unique name and the index by those of an owner."""
    for entity, row in ENTITIES.items():
        if "models" not in row["layers"]:
            continue
        [*_, feature] = features_with(entity)
        source = (FOLDER / feature / entity / "models.py.jinja").read_text()
        assert row.get("owned", False) is ("{% if owned %}" in source), entity
        if "owned" in row:
            for text in (
                f'__tablename__ = "{entity}"',
                'UniqueConstraint("owner_id", "name")',
                'Index(None, "owner_id", "created_at", "id")',
                'UniqueConstraint("name")',
                'Index(None, "created_at", "id")',
            ):
                assert text in source, f"{entity}: {text}"


def features_with_tables(auth: str) -> list[str]:
    answers = {
        **Variant("asyncpg", auth=auth, mail="none" if auth == "none" else "smtp").answers,
        **{"db": {"family": "postgresql"}, "owned": auth != "none", "rendered_examples": []},
        **{"has_passwords": False, "adds": [], "sqlite_in_development": False},
    }
    for name in ("has_passwords", "features"):
        text = environment().from_string(QUESTIONS[name]["default"]).render(answers)
        answers[name] = yaml.safe_load(text)
    return [
        feature
        for feature, there in answers["features"].items()
        if there and (FOLDER / feature / "create_tables.py.jinja").exists()
    ]


@pytest.mark.parametrize("auth", [auth for auth in AUTHS if auth != "none"])
def test_migration_that_adds_accounts_creates_their_tables(auth: str) -> None:
    without = features_with_tables("none")
    needed = [feature for feature in features_with_tables(auth) if feature not in without]
    migration = FOLDER / "adds_accounts" / "migrations" / "versions" / "accounts.py.jinja"
    match = re.search(r"{% set accounts_rooms = (\[.*?\]) %}", migration.read_text())
    assert match
    created = [room for room in ast.literal_eval(match[1]) if room in needed]
    assert created == needed


def test_each_migration_that_an_update_may_add_has_a_condition() -> None:
    conditions = re.findall(r"(?m)^ *'(\w+)':", QUESTIONS["adds"]["default"])
    assert [path.parts[-4] for path in MIGRATIONS] == [
        f"adds_{name}" for name in sorted(conditions)
    ]
    names = f"({'|'.join(conditions)})"
    assert names in (ROOT / "includes" / "newest_migration.jinja").read_text()
    for path in MIGRATIONS:
        name = path.name.split(".")[0]
        assert path.parts[-4] == f"adds_{name}"
        assert f"{{{{ added_migrations.{name}.follows }}}}" in path.read_text()


def test_each_file_of_a_feature_is_rendered() -> None:
    modules, paths = sources()
    unread = []
    for path in FILES:
        feature, *folders, name = path.parts
        if not folders:
            read = name in SLOTS
        elif len(folders) == 1 and folders[0] in ENTITIES and feature in features_with(folders[0]):
            read = f"app.{folders[0]}.{name.removesuffix('.py.jinja')}" in modules
        else:
            read = f"includes/features/{path.as_posix()}" in paths
        if not read:
            unread.append(path.as_posix())
    assert not unread, f"nothing reads {unread}; slots are {sorted(SLOTS)}"


def test_each_slot_is_filled_by_a_feature() -> None:
    scaffolded = {path.name for path in SCAFFOLD.glob("*.py.jinja")} & SLOTS
    assert {path.name for path in FILES if len(path.parts) == 2} | scaffolded == SLOTS


def test_each_other_include_is_read() -> None:
    for path in (ROOT / "includes").rglob("*"):
        if path.is_file() and not path.is_relative_to(FOLDER):
            others = "\n".join(text for reader, text in READERS.items() if reader != path)
            name = path.relative_to(ROOT).as_posix()
            # The modules of the worked example are included by layer.
            folder, _, layer = name.removesuffix(".py.jinja").rpartition("/")
            by_layer = layer in {"__init__", *LAYERS} and f"'{folder}/' ~ " in others
            # A tool includes these in the feature of a resource.
            of_resources = path.is_relative_to(SCAFFOLD) and name.endswith(".py.jinja")
            assert f"'{name}'" in others or by_layer or of_resources, name


@pytest.mark.parametrize(
    "name", sorted({part for path in READERS for part in path.parts if "yield" in part})
)
def test_frames_yield_what_copier_yml_defines(name: str) -> None:
    """Copier renders no file, and reports no error, if a name in the body of `yield` is undefined.

    Everywhere else an undefined name is an error.
    """
    frame = re.search(r"{% yield (\w+) from (\w+) %}{{ (\w+) }}{% endyield %}", name)
    assert frame, "only a name is read in `yield`"
    assert frame[1] == frame[3], "the name that is yielded is the name that is read"
    assert frame[2] in QUESTIONS
