"""A running service with all examples, and a client of it."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from harness import mailed_links
from harness.issuers import Issuer, issuing
from harness.language_models import fake_language_model
from harness.otlp import Span
from harness.rendering import render
from harness.running import Running, database, serving, succeed_in
from harness.services import Service
from harness.variants import Variant

# Not the one in the OpenAPI document, with which fuzzing would change the password.
PASSWORD = "a password that no example has"
SECRET = "the secret that signs tokens and never leaves"
MODEL_PASSWORD = "the-password-of-the-language-models"
# Users of the other kinds do not exist, or log in at an issuer.
WITH_PASSWORDS = ("jwt", "session")


@dataclass
class Attacked:
    service: Service
    running: Running
    variant: Variant
    issuer: Issuer | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # What it exported since the last check; nothing without telemetry.
    spans: list[Span] = field(default_factory=list)

    @cached_property
    def document(self) -> Any:
        """The OpenAPI document of the service."""
        return self.running.call("GET", "/openapi.json")

    @property
    def token(self) -> str:
        """The token of the user; empty without accounts."""
        cookie = self.headers.get("Cookie", "").partition("=")[2]
        return cookie or self.headers.get("Authorization", "").removeprefix("Bearer ")

    def request(self, method: str, url: str, **content: Any) -> httpx2.Response:
        """Send a request as the user, who is the only administrator."""
        headers = {
            name: value if isinstance(value, bytes) else value.encode("latin-1")
            for name, value in {**self.headers, **content.pop("headers", {})}.items()
        }
        return self.running.client.request(method, url, headers=headers, **content)

    def create(self, path: str, body: Any) -> Any:
        response = self.request("POST", f"/api/v1{path}", json=body)
        assert response.status_code == 201, response.text
        return response.json()


@contextmanager
def attacked_service(
    template: Path, folder: Path, variant: Variant, url: str = "", **environment: object
) -> Iterator[Attacked]:
    """A service of the variant, in this environment, which has the dependencies of all variants.

    Without the `url` of an empty database, it is on the server of the service's tests.
    """
    service = Service(render(template, folder / "service", **variant.answers), Path(sys.prefix))
    with attacking(service, variant, folder, url, **environment) as attacked:
        yield attacked


@contextmanager
def attacking(
    service: Service, variant: Variant, folder: Path, url: str = "", **environment: object
) -> Iterator[Attacked]:
    """Serve a rendered service, with a user who is logged in."""
    if variant.auth in WITH_PASSWORDS:
        weaken_passwords(service)
    with (
        nullcontext(url) if url else database(service) as url,
        fake_language_model(folder) as model_url,
        ExitStack() as stack,
    ):
        succeed_in(service, url, "alembic", "upgrade", "head")
        issuer = stack.enter_context(issuing(service)) if variant.auth == "oidc" else None
        settings = {
            "docs": "true",
            "log_level": "DEBUG",
            "log_format": log_format(variant),
            "secret_key": SECRET,
            "access_token_minutes": 600,
            "login_attempts": 1000,
            "login_attempts_per_account": 100_000,
            "login_attempts_per_address": 100_000,
            "assistant_url": model_url.replace("//", f"//user:{MODEL_PASSWORD}@"),
            "registrations_per_address": 100_000,
            "mails": 1000,
            "jobs_in_process": "true",
            "assistant_models": ["one"],
            **(issuer.settings if issuer else {}),
        }
        with serving(service, url, **settings, **environment) as running:
            attacked = Attacked(service, running, variant, issuer)
            if issuer:
                attacked.headers = bearer(issuer.token("admin", roles=["admin"]))
            elif variant.auth in WITH_PASSWORDS:
                attacked.headers = log_in(attacked)
                email = attacked.request("GET", "/api/v1/users/me").json()["email"]
                succeed_in(service, url, "python", "-m", "app.accounts", "promote", email)
            yield attacked


def log_format(variant: Variant) -> str:
    """The format of the log: each in a part of the services."""
    return "text" if variant.auth == "none" else "json"


def weaken_passwords(service: Service) -> None:
    """Use the cheapest hashing, because these tests log in hundreds of times."""
    passwords = service.folder / "app" / "core" / "passwords.py"
    code = passwords.read_text()
    cheap = code.replace(
        "PasswordHash.recommended()",
        "PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))",
    )
    assert cheap != code
    passwords.write_text(f"from pwdlib.hashers.argon2 import Argon2Hasher\n{cheap}")


def log_in(attacked: Attacked) -> dict[str, str]:
    """Create a user; returns the headers of its requests."""
    if attacked.issuer:
        return bearer(attacked.issuer.token(uuid4().hex))
    email = register(attacked)["email"]
    client = attacked.running.client
    if attacked.variant.auth == "session":
        body = {"email": email, "password": PASSWORD}
        return browser_headers(client, client.post("/api/v1/auth/login", json=body))
    form = {"username": email, "password": PASSWORD}
    tokens = client.post("/api/v1/auth/token", data=form).json()
    return bearer(tokens["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def browser_headers(client: httpx2.Client, login: httpx2.Response) -> dict[str, str]:
    """The headers of a page of the service in a browser that got this response to a login."""
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    client.cookies.clear()
    return {"Cookie": cookie, "Origin": str(client.base_url).rstrip("/")}


def register(attacked: Attacked) -> Any:
    """Create a user; returns its account."""
    if attacked.issuer:
        return attacked.request("GET", "/api/v1/users/me", headers=log_in(attacked)).json()
    email = f"{uuid4().hex}@example.org"
    if attacked.variant.mail == "smtp":
        mailed_links.register(attacked.running, email)
        token = mailed_links.next_logged_token(attacked.running, email)
        return mailed_links.verify(attacked.running, token, PASSWORD)
    account = {"email": email, "name": "Ada", "password": PASSWORD}
    return attacked.create("/auth/register", account)
