"""A user who registers and sets another password with the links in mails."""

import re
from collections.abc import Callable, Sequence
from email.message import EmailMessage

from harness.running import Running
from harness.waiting import eventually

ACCOUNT = {"email": "ada@example.org", "name": "Ada", "password": "correct horse battery staple"}
NEW_PASSWORD = "another horse, another"


def token_of(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    [token] = re.findall(r"#token=(\S+)", text.get_content())
    return str(token)


def log_in(running: Running, password: str) -> int:
    form = {"username": ACCOUNT["email"], "password": password}
    return running.client.post("/api/v1/auth/token", data=form).status_code


def use_links(running: Running, received: Callable[[], Sequence[EmailMessage]]) -> None:
    """Register and verify the address, then reset the password."""
    before = len(received())
    running.call("POST", "/api/v1/auth/register", ACCOUNT, status=202)
    eventually(lambda: len(received()) == before + 1, lambda: running.log)
    running.call("POST", "/api/v1/auth/verify", {"token": token_of(received()[-1])})
    assert log_in(running, ACCOUNT["password"]) == 200
    running.call("POST", "/api/v1/auth/password/forgot", {"email": ACCOUNT["email"]}, status=202)
    eventually(lambda: len(received()) == before + 2, lambda: running.log)
    body = {"token": token_of(received()[-1]), "new_password": NEW_PASSWORD}
    running.call("POST", "/api/v1/auth/password/reset", body, status=204)
    assert log_in(running, ACCOUNT["password"]) == 401
    assert log_in(running, NEW_PASSWORD) == 200
    for secret in (ACCOUNT["email"], *map(token_of, received()[before:])):
        assert secret not in running.log
