"""A user who registers and sets another password with the links in mails."""

import re
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any

from harness.running import Running
from harness.waiting import eventually

ACCOUNT = {"email": "ada@example.org", "name": "Ada", "password": "correct horse battery staple"}
NEW_PASSWORD = "another horse, another"


def token_of(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    [token] = re.findall(r"#token=(\S+)", text.get_content())
    return str(token)


def register(running: Running, email: str) -> None:
    running.call("POST", "/api/v1/auth/register", {"email": email}, status=202)


def verify(running: Running, token: str, password: str) -> Any:
    """Create an account with the link of a registration; return the account."""
    body = {"token": token, "name": ACCOUNT["name"], "password": password}
    return running.call("POST", "/api/v1/auth/verify", body, status=201)


def next_logged_token(running: Running, email: str, previous: str | None = None) -> str:
    """The token of the next link to an address, which a service in development logs."""
    link = re.compile(rf"Mail to {email}: .*?#token=(\S+)", re.DOTALL)

    def newest() -> str | None:
        return next(reversed(link.findall(running.log)), previous)

    eventually(lambda: newest() != previous, lambda: running.log)
    return str(newest())


def log_in(running: Running, password: str) -> int:
    form = {"username": ACCOUNT["email"], "password": password}
    return running.client.post("/api/v1/auth/token", data=form).status_code


def use_links(running: Running, received: Callable[[], Sequence[EmailMessage]]) -> None:
    """Create an account, then reset its password."""
    before = len(received())
    register(running, ACCOUNT["email"])
    eventually(lambda: len(received()) == before + 1, lambda: running.log)
    verify(running, token_of(received()[-1]), ACCOUNT["password"])
    assert log_in(running, ACCOUNT["password"]) == 200
    running.call("POST", "/api/v1/auth/password/forgot", {"email": ACCOUNT["email"]}, status=202)
    eventually(lambda: len(received()) == before + 2, lambda: running.log)
    body = {"token": token_of(received()[-1]), "new_password": NEW_PASSWORD}
    running.call("POST", "/api/v1/auth/password/reset", body, status=204)
    assert log_in(running, ACCOUNT["password"]) == 401
    assert log_in(running, NEW_PASSWORD) == 200
    for secret in (ACCOUNT["email"], *map(token_of, received()[before:])):
        assert secret not in running.log
