"""Faults of the database at each statement and commit of each request and job that writes."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.services import Service
from harness.variants import Variant, named

SWEPT = Path(__file__).with_name("swept")


# Services with all that writes.
VARIANTS = [
    named(f"{name}-all-keys-limits-idempotency-jobs")
    for name in (
        "aiosqlite-layered-jwt-mail",
        "aiosqlite-flat-oidc",
        "asyncpg-by_feature-session-mail",
        "psycopg-layered-jwt-mail",
        "aiomysql-by_feature-jwt-mail",
        "asyncmy-flat-session-mail",
    )
]


@pytest.mark.nightly
@pytest.mark.parametrize("swept", VARIANTS, ids=str)
def test_request_or_job_has_its_whole_effect_or_none(
    rendered: Callable[[Variant], Path],
    swept: Variant,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder = shutil.copytree(rendered(swept), tmp_path / "service")
    shutil.copytree(SWEPT, folder / "tests" / "conflicts")
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--tb=short"]
    output = Service(folder, Path(sys.prefix)).succeed(
        *command, "-s", "--show-capture=no", "tests/conflicts"
    )
    counted = re.findall(r"(\d+) (?:requests|jobs|periodic job), (\d+) faults", output)
    assert len(counted) == 3, output
    record_property("faults", sum(int(faults) for _, faults in counted))
    print(f"Faults: {sum(int(faults) for _, faults in counted)}")
