"""The audit reports what breaks and accepts correct code."""

from collections.abc import Callable
from textwrap import dedent

import pytest
from audit_async.findings import RULES, Finding

from tests.audit.samples import (
    blocking_call,
    expired_attribute,
    lazy_load,
    lost_session,
    missing_await,
    needless_await,
    sync_driver,
    sync_query,
    sync_session,
)
from tests.audit.samples.preamble import PREAMBLE

SAMPLES = {
    "sync-query": sync_query,
    "sync-session": sync_session,
    "missing-await": missing_await,
    "needless-await": needless_await,
    "sync-driver": sync_driver,
    "lazy-load": lazy_load,
    "expired-attribute": expired_attribute,
    "blocking-call": blocking_call,
    "lost-session": lost_session,
}
FOUND = [
    pytest.param(rule, code, suggestion, id=f"{rule}-{number}")
    for rule, samples in SAMPLES.items()
    for number, (code, suggestion) in enumerate(samples.FOUND, 1)
]
ACCEPTED = [
    pytest.param(code, id=f"{rule}: {name}")
    for rule, samples in SAMPLES.items()
    for name, code in samples.ACCEPTED.items()
]


def marked_lines(code: str) -> list[int]:
    return [number for number, line in enumerate(code.splitlines(), 1) if "# !" in line]


@pytest.mark.parametrize(("rule", "code", "suggestion"), FOUND)
def test_finding_has_the_right_rule_line_and_suggestion(
    audited: Callable[..., list[Finding]], rule: str, code: str, suggestion: str
) -> None:
    code = PREAMBLE + dedent(code)
    findings = [finding for finding in audited(sample=code) if finding.rule == rule]
    assert [finding.line for finding in findings] == marked_lines(code)
    assert findings[0].instead == suggestion
    assert "hunter2" not in str(findings)


def test_every_rule_has_samples() -> None:
    assert set(SAMPLES) == set(RULES)
    assert all(samples.FOUND for samples in SAMPLES.values())


@pytest.mark.parametrize("code", ACCEPTED)
def test_correct_code_has_no_findings(audited: Callable[..., list[Finding]], code: str) -> None:
    assert audited(sample=PREAMBLE + dedent(code)) == []
