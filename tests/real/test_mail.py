"""A service whose mails Postfix delivers, or rejects."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from harness.mailed_links import ACCOUNT, register, token_of, use_links, verify
from harness.postfix import Postfix, running_postfix
from harness.rendering import render
from harness.running import alembic, database, serving, settings
from harness.services import Service
from harness.variants import named
from harness.waiting import eventually

BACKOFF = "BACKOFF_SECONDS = 15.0\n"
CREDENTIALS = "service:p%40ss%2Fword"
WITHOUT_JOBS = {"jobs_in_process": False}
NOT_SENT = "A mail (verify_address) was not sent: "


@pytest.fixture(scope="module")
def postfix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postfix]:
    with running_postfix(tmp_path_factory.mktemp("postfix")) as postfix:
        yield postfix


@pytest.fixture(autouse=True)
def noted(tested: Callable[[str, str], None], postfix: Postfix) -> None:
    tested("Postfix", postfix.version)


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory, postfix: Postfix) -> Service:
    folder = tmp_path_factory.mktemp("mail") / "service"
    return mailing("aiosqlite-jwt-flat-empty-mail", template, folder, postfix)


def mailing(name: str, template: Path, folder: Path, postfix: Postfix) -> Service:
    """A variant that trusts the certificates of Postfix."""
    service = Service(render(template, folder, **named(name).answers), Path(sys.prefix))
    service.variables["SSL_CERT_FILE"] = str(postfix.authority.file)
    return service


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    with database(service) as url:
        alembic(service, url, "upgrade head")
        yield url


@pytest.fixture(scope="module")
def service_with_jobs(
    template: Path, tmp_path_factory: pytest.TempPathFactory, postfix: Postfix
) -> Service:
    """The service, whose jobs send mails; the next attempt is made after a few seconds."""
    folder = tmp_path_factory.mktemp("jobs") / "service"
    service = mailing("asyncpg-jwt-flat-empty-mail-jobs", template, folder, postfix)
    worker = folder / "app" / "core" / "worker.py"
    code = worker.read_text()
    assert code.count(BACKOFF) == 1
    worker.write_text(code.replace(BACKOFF, "BACKOFF_SECONDS = 1.0\n"))
    return service


@pytest.fixture
def url_with_jobs(service_with_jobs: Service) -> Iterator[str]:
    with database(service_with_jobs) as url:
        alembic(service_with_jobs, url, "upgrade head")
        yield url


@contextmanager
def worker(service: Service, url: str, smtp_url: str) -> Iterator[Callable[[], str]]:
    """The log of a worker."""
    log = service.folder.parent / f"{uuid4()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.worker"],
            cwd=service.folder,
            env=service.variables | settings(url, {"smtp_url": smtp_url}),
            stdout=output,
            stderr=output,
        )
    try:
        yield log.read_text
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "implicit")])
def test_links_in_delivered_mails_create_an_account_and_set_a_password(
    service: Service, url: str, postfix: Postfix, scheme: str, tls: str
) -> None:
    smtp_url = f"{scheme}://{CREDENTIALS}@localhost:{getattr(postfix, tls)}"
    with serving(service, url, smtp_url=smtp_url) as running:
        use_links(running, lambda: postfix.mails)
    mail = postfix.mails[-1]
    assert mail["To"] == ACCOUNT["email"]
    assert mail["Return-Path"] == "<noreply@example.org>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("smtp_url", "email", "reason"),
    [
        ("smtp://service:wrong@localhost:{starttls}", ACCOUNT["email"], "code 535"),
        ("smtp://localhost:{starttls}", ACCOUNT["email"], "code 554"),
        ("smtp://localhost:{starttls}?tls=no", ACCOUNT["email"], "code 530"),
        ("smtp://service:any@localhost:{without}", ACCOUNT["email"], "STARTTLS"),
        (f"smtp://{CREDENTIALS}@localhost:{{starttls}}", "eve@example.org", "code 550"),
    ],
    ids=["wrong-password", "no-password", "tls-required", "tls-not-offered", "recipient-rejected"],
)
def test_mail_that_is_rejected_is_one_line_in_the_log_without_the_address(
    service: Service, url: str, postfix: Postfix, smtp_url: str, email: str, reason: str
) -> None:
    ports = {"starttls": postfix.starttls, "without": postfix.without}
    delivered = len(postfix.mails)
    with serving(service, url, smtp_url=smtp_url.format(**ports)) as running:
        register(running, email)
        eventually(lambda: NOT_SENT in running.log, lambda: running.log)
    [line] = [line for line in running.log.splitlines() if NOT_SENT in line]
    assert reason in line
    assert email not in running.log
    assert "Traceback" not in running.log
    assert len(postfix.mails) == delivered


def test_no_response_waits_while_postfix_is_stopped_and_later_mails_are_delivered(
    service: Service, url: str, postfix: Postfix
) -> None:
    smtp_url = f"smtp://{CREDENTIALS}@localhost:{postfix.starttls}"
    delivered = len(postfix.mails)
    with serving(service, url, smtp_url=smtp_url) as running:
        with postfix.suspended():
            register(running, "bob@example.org")
            # The response did not wait for the timeout of the mail.
            assert NOT_SENT not in running.log
        eventually(lambda: len(postfix.mails) == delivered + 1, lambda: running.log)
        postfix.stop()
        try:
            register(running, "carol@example.org")
            eventually(lambda: f"{NOT_SENT}SMTPConnectError" in running.log, lambda: running.log)
        finally:
            postfix.start()
        register(running, "dora@example.org")
        eventually(lambda: len(postfix.mails) == delivered + 2, lambda: running.log)
    assert "@example.org" not in running.log


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "implicit")])
def test_mail_of_a_job_is_delivered_once(
    service_with_jobs: Service, url_with_jobs: str, postfix: Postfix, scheme: str, tls: str
) -> None:
    smtp_url = f"{scheme}://{CREDENTIALS}@localhost:{getattr(postfix, tls)}"
    delivered = len(postfix.mails)
    with (
        serving(service_with_jobs, url_with_jobs, **WITHOUT_JOBS) as running,
        worker(service_with_jobs, url_with_jobs, smtp_url) as log,
        worker(service_with_jobs, url_with_jobs, smtp_url),
    ):
        use_links(running, lambda: postfix.mails)
    assert len(postfix.mails) == delivered + 2
    assert ACCOUNT["email"] not in log()


def test_mail_of_a_job_waits_until_postfix_is_back(
    service_with_jobs: Service, url_with_jobs: str, postfix: Postfix
) -> None:
    smtp_url = f"smtp://{CREDENTIALS}@localhost:{postfix.starttls}"
    delivered = len(postfix.mails)
    with serving(service_with_jobs, url_with_jobs, **WITHOUT_JOBS) as running:
        postfix.stop()
        try:
            with worker(service_with_jobs, url_with_jobs, smtp_url) as log:
                register(running, "bob@example.org")
                eventually(lambda: "attempt 1; retry" in log(), log)
            # Another worker makes the next attempts.
            with worker(service_with_jobs, url_with_jobs, smtp_url) as log:
                eventually(lambda: "attempt 2; retry" in log(), log)
                postfix.start()
                eventually(lambda: "RegistrationMail succeeded" in log(), log, seconds=60)
        finally:
            if not postfix.is_running:
                postfix.start()
        eventually(lambda: len(postfix.mails) == delivered + 1, lambda: postfix.log)
        assert "Traceback" not in log()
        assert "bob@example.org" not in log() + running.log
        verify(running, token_of(postfix.mails[-1]), ACCOUNT["password"])
