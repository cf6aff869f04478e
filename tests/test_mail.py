"""Mails of a service, which real SMTP servers with TLS and passwords receive."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from harness.certificates import Authority
from harness.mailed_links import ACCOUNT, register, use_links
from harness.rendering import render
from harness.running import database, serving, succeed_in
from harness.services import Service
from harness.variants import LARGEST, Variant
from harness.waiting import eventually, free_port

USER, PASSWORD = "service", "p@ss/word"
CREDENTIALS = "service:p%40ss%2Fword"

# Sends a mail to each of the URLs.
PROGRAM = """
import asyncio, sys

from pydantic import SecretStr

from app.core.mail import Mail, MailNotSent
from app.core.mail_settings import read_smtp_url
from app.core.smtp import SmtpMailer

async def send(url):
    mailer = SmtpMailer(read_smtp_url(SecretStr(url)), "Gr\\u00fc\\u00dfe <noreply@example.org>")
    try:
        await mailer.send(Mail("name", "ada@example.org", "Na\\u00efve", "text", "<p>html</p>"))
    except MailNotSent as error:
        return str(error)
    return "sent"

async def main():
    for url in sys.argv[1:]:
        print(await send(url))

asyncio.run(main())
"""


class Mailbox:
    """Accepts the password, and keeps the mails."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 queued"

    @property
    def mails(self) -> list[EmailMessage]:
        contents = [envelope.original_content or b"" for envelope in self.envelopes]
        return [message_from_bytes(each, policy=policy.default) for each in contents]

    def authenticate(self, *arguments: Any) -> AuthResult:
        given = arguments[-1]
        assert isinstance(given, LoginPassword)
        correct = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        # Not `handled`: the server sends the response.
        return AuthResult(success=correct, handled=False)


@contextmanager
def mail_server(authority: Authority, mailbox: Mailbox, *, implicit: bool = False) -> Iterator[int]:
    """The port of a server with TLS, which requires the password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.sign("localhost"))
    controller = Controller(
        mailbox,
        "127.0.0.1",
        free_port(),
        ssl_context=context if implicit else None,
        tls_context=None if implicit else context,
        require_starttls=not implicit,
        authenticator=mailbox.authenticate,
        auth_required=True,
        auth_require_tls=not implicit,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # that is STARTTLS
def test_mails_are_sent_with_verified_tls_and_a_password(
    rendered: Callable[[Variant], Path], tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path, "known"), Authority(tmp_path, "unknown")
    mailbox = Mailbox()
    with (
        mail_server(authority, mailbox) as port,
        mail_server(authority, mailbox, implicit=True) as implicit,
        mail_server(other, mailbox) as untrusted,
    ):
        expected = {
            f"smtp://{CREDENTIALS}@localhost:{port}": "sent",
            f"smtps://{CREDENTIALS}@localhost:{implicit}": "sent",
            f"smtp://service:wrong@localhost:{port}": "SMTPAuthenticationError, code 535",
            f"smtp://localhost:{port}": "SMTPSenderRefused, code 530",
            f"smtp://localhost:{port}?tls=no": "SMTPSenderRefused, code 530",
            f"smtp://{CREDENTIALS}@127.0.0.1:{port}": "certificate is not valid for '127.0.0.1'",
            f"smtp://{CREDENTIALS}@localhost:{untrusted}": "unable to get local issuer certificate",
        }
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, *expected],
            cwd=rendered(LARGEST),
            env={"SSL_CERT_FILE": str(authority.file)},
            capture_output=True,
            text=True,
            check=True,
        )
    for found, part in zip(result.stdout.splitlines(), expected.values(), strict=True):
        assert part in found
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [["ada@example.org"]] * 2
    for mail in mailbox.mails:
        assert (mail["From"], mail["Subject"]) == (
            "Gr\u00fc\u00dfe <noreply@example.org>",
            "Na\u00efve",
        )
        assert mail["Message-ID"].endswith("@example.org>")


@pytest.fixture(scope="module")
def migrated(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, str]]:
    folder = tmp_path_factory.mktemp("mail")
    answers = Variant("aiosqlite", auth="jwt", examples=(), mail="smtp").answers
    service = Service(render(template, folder / "service", **answers), Path(sys.prefix))
    with database(service) as url:
        succeed_in(service, url, "alembic", "upgrade", "head")
        yield service, url


@pytest.mark.nightly
def test_links_in_mails_create_an_account_and_set_a_password(
    migrated: tuple[Service, str], tmp_path: Path
) -> None:
    service, url = migrated
    authority, mailbox = Authority(tmp_path, "authority"), Mailbox()
    service.variables["SSL_CERT_FILE"] = str(authority.file)
    with (
        mail_server(authority, mailbox) as port,
        serving(service, url, smtp_url=f"smtp://{CREDENTIALS}@localhost:{port}") as running,
    ):
        use_links(running, lambda: mailbox.mails)
        # The shutdown sends what waits.
        register(running, ACCOUNT["email"])
        running.stop()
    assert mailbox.mails[2]["Subject"] == "You have an account already"
    assert ACCOUNT["email"] not in running.log


@pytest.mark.nightly
def test_mail_server_that_is_down_or_does_not_respond_delays_no_response(
    migrated: tuple[Service, str],
) -> None:
    service, url = migrated
    email = "bob@example.org"
    with serving(service, url, smtp_url=f"smtp://localhost:{free_port()}") as running:
        register(running, email)
        eventually(lambda: "A mail (verify_address) was not sent: SMTPConnectError" in running.log)
        assert email not in running.log
        assert "Traceback" not in running.log
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with serving(service, url, smtp_url=f"smtp://localhost:{port}?tls=no") as running:
            register(running, email)
            connection, _ = silent.accept()  # which the service keeps
            running.call("GET", "/health/ready")
            running.stop()
            connection.close()
        assert "The process ended before the last mail was processed" in running.log
