"""The update from 1.0.0 to 2.0.0, whose hook carries edits and imports over what moved."""

import io
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import copier
import pytest
import yaml
from copier.errors import UnsafeTemplateError
from release_2 import TABLE, Tree, load_moves, module_of

from harness.commands import succeed
from harness.projects import NEXT, WORK_TREE, Project, Template, commit, git, without_additions
from harness.rendering import COPIER, ROOT
from harness.variants import Variant
from tests.updates.future_releases import change_readme
from tests.updates.to_release_2 import VARIANTS, Versions, update


def public_names(tree: Tree) -> set[tuple[str, str]]:
    """The names that an owner could import, but not those of tests."""
    modules = [module_of(path) for path in tree.paths if re.match(r"(app|tests)/.*\.py$", path)]
    return {
        (module, name)
        for module in modules
        if not module.startswith("tests.test_")
        for name in tree.names(module)[0]
        if not name.startswith("_")
    }


# ---------------------------------------------------------------- The table


@pytest.mark.parametrize("whole", VARIANTS, ids=str)
def test_every_name_of_1_0_0_is_found_or_known_to_be_gone(
    versions: Versions, whole: Variant
) -> None:
    old, new = (Tree(project.folder) for project in versions(whole))
    moves = load_moves(new)
    lost = {
        (module, name)
        for module, name in public_names(old)
        if not new.has(*moves.find(module, name))
    }
    assert lost == {
        (module, name)
        for module, name in public_names(old)
        if name in moves.names.get(module, {}) and moves.names[module][name] is None
    }
    modules = {module_of(path) for path in old.paths if re.match(r"(app|tests)/.*\.py$", path)}
    # Neither has anything in it.
    empty = {"app.shared"}
    assert {m for m in modules if not new.has(moves.find_module(m))} <= empty


def test_table_has_only_what_was_there_and_what_is_there(versions: Versions) -> None:
    table = yaml.safe_load(TABLE.read_text())
    trees = [[Tree(project.folder) for project in versions(variant)] for variant in VARIANTS]
    modules, names = set(table["modules"]), {(m, n) for m, ns in table["names"].items() for n in ns}
    assert {m for m in modules if any(old.has(m) for old, _ in trees)} == modules
    assert {n for n in names if any(n[1] in old.names(n[0])[0] for old, _ in trees)} == names
    for old_module, found in table["modules"].items():
        for place in found if isinstance(found, list) else [found]:
            assert any(new.has(place) for _, new in trees), f"{old_module}: {place}"
    for module, name in names:
        found = table["names"][module][name]
        for place in found if isinstance(found, list) else [found or ""]:
            there, _, renamed = place.partition(":")
            home = there or table["modules"].get(module, module)
            assert not place or any(new.has(home, renamed or name) for _, new in trees), place


@pytest.mark.nightly
@pytest.mark.parametrize("whole", VARIANTS, ids=str)
def test_every_import_of_every_name_works_after_the_update(
    upstream: Template, tmp_path: Path, versions: Versions, whole: Variant
) -> None:
    project = Project(shutil.copytree(versions(whole)[0].folder, tmp_path / "project"))
    tree = Tree(project.folder)
    moves = load_moves(Tree(versions(whole)[1].folder))
    wanted = [
        (module, name)
        for module, name in sorted(public_names(tree))
        if name not in moves.names.get(module, {}) or moves.names[module][name] is not None
    ]
    forms = {
        "names": "".join(
            f"def use_{n}() -> object:\n    from {module} import {name}\n    return {name}\n\n\n"
            for n, (module, name) in enumerate(wanted)
        ),
        "dotted": "".join(f"import {module}\n{module}.{name}\n" for module, name in wanted),
        "packages": "".join(
            f"from {module.rpartition('.')[0]} import {module.rpartition('.')[2]} as m{n}\n"
            f"m{n}.{name}\n"
            for n, (module, name) in enumerate(wanted)
        ),
        "strings": "WANTED = [\n"
        + "".join(f'    "{module}.{name}",\n' for module, name in wanted)
        + "]\n",
    }
    for form, text in forms.items():
        (project.folder / "app" / f"mine_{form}.py").write_text(text)
    project.commit()
    printed = update(project)
    assert " has no " not in printed
    assert project.conflicts() == set()
    script = (
        "import importlib, pkgutil, app.mine_names as names, app.mine_dotted, app.mine_packages\n"
        "from app.mine_strings import WANTED\n"
        "[use() for name, use in vars(names).items() if name.startswith('use_')]\n"
        "[pkgutil.resolve_name(wanted) for wanted in WANTED]\n"
    )
    environment = {"ENVIRONMENT": "test", "DATABASE_URL": variant_url(whole)}
    project.folder.joinpath("run.py").write_text(script)
    environment |= {"PYTHONPATH": ".", "SECRET_KEY": "x" * 40, "ASSISTANT_MODELS": '["m"]'}
    succeed(sys.executable, "-W", "ignore", "run.py", cwd=project.folder, env=environment)


def variant_url(variant: Variant) -> str:
    if variant.sqlite_in_development or variant.driver == "aiosqlite":
        return "sqlite:///x.db"
    return "postgresql://u@localhost/x" if "psy" in variant.driver else "mysql://u@localhost/x"


# ---------------------------------------------------------------- What owners do to files


@pytest.fixture(scope="module")
def carried(
    versions: Versions, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Project, str]:
    """A service whose owner did all sorts of things, before and after; and what was printed."""
    before = versions(VARIANTS[3])[0]
    project = Project(
        shutil.copytree(before.folder, tmp_path_factory.mktemp("edited") / "services" / "mine")
    )
    folder = project.folder
    project.replace("app/errors.py", "logger = logging", "MINE = 1\nlogger = logging")
    project.replace("app/transactions.py", "is Kind.CONFLICT", "in (Kind.CONFLICT, Kind.LOCKED)")
    (folder / "tests/test_health.py").unlink()
    (folder / "app/check_database.py").unlink()
    (folder / "tests/test_check_database.py").unlink()
    (folder / "app/logs.py").unlink()  # others need it
    (folder / "tests/test_errors.py").chmod(0o755)
    (folder / "app/shared/money.py").write_text("from app.shared.schemas import Line\n")
    (folder / "tests/core").mkdir()
    (folder / "tests/core/test_pool.py").write_text("# Mine, long before.\n")
    (folder / "tests/test_pool.py").write_text("# Mine, edited.\n")
    (folder / "app/old.py").write_text("from app.errors import NotFound\nprint 'hello'\n")
    (folder / "logo.png").write_bytes(b"\x89PNG\0 app.errors")
    (folder / "app/gone.py").write_text("from app.database import NoWrites\n")
    (folder / "app/windows.py").write_bytes(b"from app.errors import NotFound\r\nx = NotFound\r\n")
    (folder / "Makefile").write_text("check:\n\tpython -m app.check_database\n")
    project.replace("README.md", "An async API service.", "It keeps the plans of a garden.")
    (folder / "link.py").symlink_to("app/errors.py")
    commit(folder)
    return before, project, update(project)


@pytest.mark.xdist_group("carried")
def test_edits_move_along(carried: tuple[Project, Project, str]) -> None:
    _, project, printed = carried
    folder = project.folder
    assert "\nMINE = 1\n" in (folder / "app/core/errors.py").read_text()
    # With its names, as they are now.
    transactions = (folder / "app/core/transactions.py").read_text()
    assert "in (ErrorKind.CONFLICT, ErrorKind.LOCKED)" in transactions
    assert not (folder / "app/errors.py").exists()
    assert "app/core/errors.py has your changes of app/errors.py." in printed
    assert "It keeps the plans of a garden." in (folder / "README.md").read_text()
    # Both the owner and the template have it now.
    assert project.conflicts() == {"tests/core/test_pool.py"}


@pytest.mark.xdist_group("carried")
def test_mode_moves_along(carried: tuple[Project, Project, str]) -> None:
    assert carried[1].folder.joinpath("tests/core/test_errors.py").stat().st_mode & 0o111
    assert not carried[1].folder.joinpath("app/core/errors.py").stat().st_mode & 0o111


@pytest.mark.xdist_group("carried")
def test_deleted_file_comes_back_only_where_it_is_needed(
    carried: tuple[Project, Project, str],
) -> None:
    folder = carried[1].folder
    assert not (folder / "tests/core/test_health.py").exists()
    assert not (folder / "tests/core/test_check_database.py").exists()
    assert not (folder / "app/core/check_database.py").exists()
    assert (folder / "app/core/logs.py").exists()


@pytest.mark.xdist_group("carried")
def test_own_file_of_a_package_that_is_gone_keeps_its_package(
    carried: tuple[Project, Project, str],
) -> None:
    folder = carried[1].folder
    assert (
        folder / "app/shared/money.py"
    ).read_text() == "from app.core.schemas import SingleLineStr\n"
    assert (folder / "app/shared/__init__.py").exists()
    assert not (folder / "app/shared/models.py").exists()


@pytest.mark.xdist_group("carried")
def test_own_file_at_the_new_path_is_kept_beside_the_edited_one(
    carried: tuple[Project, Project, str],
) -> None:
    _, project, printed = carried
    assert "# Mine, long before." in (project.folder / "tests/core/test_pool.py").read_text()
    assert (project.folder / "tests/test_pool.py").read_text() == "# Mine, edited.\n"
    assert "tests/test_pool.py stays, because tests/core/test_pool.py is a file of its" in printed


@pytest.mark.xdist_group("carried")
def test_what_cannot_be_rewritten_is_told(carried: tuple[Project, Project, str]) -> None:
    _, project, printed = carried
    assert "app/old.py: this version of Python cannot parse it" in printed
    assert "app.errors" in (project.folder / "app/old.py").read_text()
    assert "app/gone.py: app.database has no NoWrites; the changelog says what to use" in printed
    assert printed.count(" has no ") == 1


@pytest.mark.xdist_group("carried")
def test_line_ends_links_and_other_texts(carried: tuple[Project, Project, str]) -> None:
    _, project, _ = carried
    assert (project.folder / "logo.png").read_bytes() == b"\x89PNG\0 app.errors"
    windows = (project.folder / "app/windows.py").read_bytes()
    assert windows == b"from app.core.errors import NotFound\r\nx = NotFound\r\n"
    assert (project.folder / "link.py").is_symlink()
    assert "python -m app.core.check_database" in (project.folder / "Makefile").read_text()


@pytest.mark.nightly
def test_same_lines_are_a_conflict_of_the_new_names(versions: Versions, tmp_path: Path) -> None:
    project = Project(shutil.copytree(versions(VARIANTS[5])[0].folder, tmp_path / "project"))
    project.replace("app/errors.py", '"There is no such thing."', '"Nothing here."')
    project.commit()
    printed = update(project)
    assert project.conflicts() == {"app/core/errors.py"}
    assert "app/core/errors.py: conflict with your changes of app/errors.py; resolve it." in printed
    text = project.files()["app/core/errors.py"]
    yours = text.partition("<<<<<<< before updating\n")[2].partition("=======\n")[0]
    assert yours.strip() == 'detail = "Nothing here."'
    assert git(project.folder, "show", ":2:app/core/errors.py").count('"Nothing here."') == 1


@pytest.mark.nightly
def test_service_in_a_folder_of_a_shallow_clone(upstream: Template, tmp_path: Path) -> None:
    company = tmp_path / "company"
    service, answers_file = company / "services" / "stock", ".copier-answers.stock.yml"
    copier.run_copy(
        str(upstream.folder),
        service,
        answers_file=answers_file,
        data={"examples": []},
        defaults=True,
        quiet=True,
        vcs_ref="1.0.0",
    )
    Project(service).replace("app/errors.py", '"There is no such thing."', '"Nothing here."')
    (service / "app/mine.py").write_text("from app.errors import NotFound as NotFound\n")
    commit(company)
    git(tmp_path, "clone", "--quiet", "--depth=1", company.as_uri(), "clone")
    project = Project(tmp_path / "clone" / "services" / "stock")
    update(project, answers_file=answers_file, conflict="rej")
    assert "from app.core.errors" in (project.folder / "app/mine.py").read_text()
    assert project.conflicts() == {"services/stock/app/core/errors.py"}
    assert list(project.folder.rglob("*.rej")) == []
    assert git(tmp_path / "clone", "status", "--short", "services/stock/app/errors.py")[1] == "D"


# ---------------------------------------------------------------- Trust


def test_update_without_trust_is_refused_and_writes_nothing(
    versions: Versions, tmp_path: Path
) -> None:
    project = Project(shutil.copytree(versions(VARIANTS[5])[0].folder, tmp_path / "project"))
    with pytest.raises(UnsafeTemplateError, match="migrations"), redirect_stderr(io.StringIO()):
        copier.run_update(project.folder, defaults=True, overwrite=True, vcs_ref=WORK_TREE)
    command = [sys.executable, "-m", "copier", "update", "--defaults"]
    refused = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 4
    assert "consider adding the `--trust` option" in refused.stderr
    assert project.changed() == set()


@pytest.mark.nightly
def test_later_updates_need_no_trust_and_run_nothing(
    own_upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(own_upstream, tmp_path / "project", "1.0.0", examples=[])
    update(project)
    project.commit()
    change_readme(own_upstream)
    own_upstream.release(NEXT)
    with redirect_stderr(io.StringIO()) as printed:
        copier.run_update(project.folder, defaults=True, overwrite=True, unsafe=False)
    assert "Running task" not in printed.getvalue()
    assert project.changed() == {".copier-answers.yml", "README.md"}


@pytest.mark.nightly
@pytest.mark.parametrize("place", ["", "services/stock"])
def test_update_by_hand_without_trust_as_the_readme_shows(
    versions: Versions, upstream: Template, tmp_path: Path, place: str
) -> None:
    company = tmp_path / "company"
    before = versions(VARIANTS[4])[0].folder
    shutil.copytree(before, company / place, ignore=shutil.ignore_patterns(".git"))
    project = Project(company / place)
    project.replace("app/security.py", '"aud": AUDIENCE,', '"aud": AUDIENCE.upper(),')
    project.replace("README.md", "An async API service.", "It keeps the plans of a garden.")
    project.replace("compose.yaml", "8000:8000", "8500:8000")
    (project.folder / "Dockerfile").unlink()
    (project.folder / "app/mine.py").write_text("from app.errors import NotFound as NotFound\n")
    commit(company)
    readme = (ROOT / "hooks" / "README.md").read_text()
    (block,) = re.findall(r"```shell\n([^`]*recopy[^`]*)```", readme)
    script = block.replace("uvx copier", shlex.join(COPIER))
    script = script.replace("uvx --from copier python", sys.executable)
    script = script.replace("2.0.0", WORK_TREE).replace(
        "https://github.com/OWNER/copier-fastapi-async", str(upstream.folder)
    )
    succeed("bash", "-euo", "pipefail", "-c", script, cwd=project.folder)
    fresh = without_additions(versions(VARIANTS[4])[1].files())
    del fresh["Dockerfile"]
    fresh["app/mine.py"] = "from app.core.errors import NotFound as NotFound\n"
    for path, old, new in (
        ("app/core/tokens.py", '"aud": AUDIENCE,', '"aud": AUDIENCE.upper(),'),
        ("README.md", "An async API service.", "It keeps the plans of a garden."),
        ("compose.yaml", "8000:8000", "8500:8000"),
    ):
        assert old in fresh[path]
        fresh[path] = fresh[path].replace(old, new)
    assert without_additions(project.files()) == fresh


def test_wrong_arguments_and_an_unknown_version_are_told_in_words(
    versions: Versions, tmp_path: Path
) -> None:
    project = Project(shutil.copytree(versions(VARIANTS[5])[0].folder, tmp_path / "project"))
    hook = shutil.copytree(ROOT / "hooks", tmp_path / "other" / "hooks") / "release_2.py"
    commit(tmp_path / "other")  # a repository that has not got the version of the last update
    for arguments, said in (
        ([], "release_2.py takes the answers file."),
        ([".copier-answers.yml"], "A version of the template cannot be rendered"),
    ):
        result = subprocess.run(
            [sys.executable, str(hook), *arguments],
            cwd=project.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode, result.stdout) == (1, "")
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    assert project.changed() == set()
