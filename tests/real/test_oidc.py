"""A service with the tokens of a real OpenID provider, and a login in its documentation page."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from harness import oidc_provider
from harness.browser import browser
from harness.oidc_provider import packages, running_provider
from harness.rendering import render
from harness.running import Running, alembic, database, serving
from harness.services import Service
from harness.variants import named
from harness.waiting import free_port

AUDIENCE = "https://api.example.com"
ME = "/api/v1/users/me"


@dataclass
class LoggedIn:
    """A service whose documentation page has logged in."""

    running: Running
    page: Page
    tokens: dict[str, Any]  # the response of the token endpoint

    def status_of(self, token: str, path: str = ME) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return self.running.client.get(path, headers=headers).status_code


def serve_swagger_ui(route: Route) -> None:
    """Serve the files that the page loads from a CDN."""
    path = packages() / "swagger-ui-dist" / route.request.url.rpartition("/")[2]
    route.fulfill(path=path) if path.exists() else route.abort()


def log_in(page: Page, origin: str) -> dict[str, Any]:
    """Log in on the documentation page; returns the tokens."""
    page.route(re.compile("^https://"), serve_swagger_ui)
    page.goto(f"{origin}/docs")
    page.locator("button.authorize").first.click()
    client_id = page.locator("#client_id_authorization_code")
    assert client_id.input_value() == "docs"
    flow = page.locator(".auth-container", has=client_id)
    with page.expect_popup() as opened:
        flow.locator("button.authorize").click()
    login = opened.value
    login.locator("[name=login]").fill("ada")
    login.locator("[name=password]").fill("any")
    login.locator("[type=submit]").click()
    with page.expect_response(lambda response: "/token?" in response.url) as answered:
        login.locator("[type=submit]").click()  # consent
    tokens: dict[str, Any] = answered.value.json()
    assert "code_verifier=" in (answered.value.request.post_data or "")
    page.locator(".modal-ux button.close-modal").click()
    return tokens


@pytest.fixture(scope="module")
def logged_in(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggedIn]:
    folder = tmp_path_factory.mktemp("oidc")
    variant = named("aiosqlite-oidc-flat")
    service = Service(render(template, folder / "service", **variant.answers), Path(sys.prefix))
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with database(service) as url, browser() as chromium:
        alembic(service, url, "upgrade head")
        with running_provider(origin, AUDIENCE, folder / "provider.log") as issuer:
            settings = {"oidc_issuer": issuer, "oidc_audience": AUDIENCE, "oidc_client_id": "docs"}
            with serving(service, url, port=str(port), docs="true", **settings) as running:
                page = chromium.new_page()
                yield LoggedIn(running, page, log_in(page, origin))


@pytest.fixture(autouse=True)
def noted(tested: Callable[[str, str], None]) -> None:
    tested("oidc-provider", oidc_provider.VERSION)


def test_page_of_the_documentation_logs_in_with_code_and_pkce(logged_in: LoggedIn) -> None:
    page = logged_in.page
    page.locator("#operations-users-get_me").locator("button.opblock-summary-control").click()
    page.locator("#operations-users-get_me").locator("button.try-out__btn").click()
    with page.expect_response(lambda response: response.url.endswith(ME)) as answered:
        page.locator("#operations-users-get_me").locator("button.execute").click()
    assert answered.value.status == 200
    assert answered.value.json()["name"] == "Ada Lovelace"


def test_access_token_is_accepted_with_its_roles_and_id_token_is_not(logged_in: LoggedIn) -> None:
    access_token = logged_in.tokens["access_token"]
    assert logged_in.status_of(access_token) == 200
    assert logged_in.status_of(access_token, "/api/v1/users") == 200
    assert logged_in.status_of(logged_in.tokens["id_token"]) == 401
    header, claims, signature = access_token.split(".")
    assert logged_in.status_of(f"{header}.{claims}.{signature[::-1]}") == 401
