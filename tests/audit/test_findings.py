"""Severity of findings, and comments that silence them."""

from collections.abc import Callable

import pytest
from audit_async.findings import Finding

from tests.audit.samples.preamble import PREAMBLE


def test_sync_url_that_may_not_reach_an_async_engine_is_a_warning(
    audited: Callable[..., list[Finding]],
) -> None:
    code = PREAMBLE + 'engine = create_async_engine(url)\nDEFAULT = "mysql://root:hunter2@db/app"\n'
    (finding,) = audited(sample=code)
    assert (finding.rule, finding.severity) == ("sync-driver", "warning")
    assert "hunter2" not in str(finding)


@pytest.mark.parametrize(
    ("engine", "count"),
    [
        ("engine_from_config(context.config.get_section('alembic'))", 0),
        ("async_engine_from_config(context.config.get_section('alembic'))", 1),
    ],
)
def test_sync_url_of_alembic_is_a_finding_only_beside_an_async_engine(
    audited: Callable[..., list[Finding]], engine: str, count: int
) -> None:
    environment = (
        "from alembic import context\n"
        'context.config.set_main_option("sqlalchemy.url", "mysql://db/app")\n'
        f"engine = {engine}\n"
    )
    application = PREAMBLE + "engine = create_async_engine(url)\n"
    assert len(audited(database=application, env=environment)) == count


@pytest.mark.parametrize(
    ("comment", "count"),
    [
        ("# audit: ignore", 0),
        ("# audit: ignore[missing-await]", 0),
        ("# audit: ignore[sync-query, missing-await]", 0),
        ("# audit: ignore[sync-query]", 1),
        ("# audited", 1),
    ],
)
def test_ignore_comment_silences_its_line(
    audited: Callable[..., list[Finding]], comment: str, count: int
) -> None:
    code = f"{PREAMBLE}async def save(session: AsyncSession):\n    session.commit()  {comment}\n"
    assert len(audited(sample=code)) == count
