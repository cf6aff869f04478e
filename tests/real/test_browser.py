"""Cookie sessions in Chromium: a service, and pages of two other origins.

A page of another port is of the same site, so its requests have the cookie. A page of another host
is of another site.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from harness.browser import OTHER_SITE, blank_pages, browser
from harness.running import alembic, database, serving
from harness.services import Service
from harness.variants import Variant

Rendered = Callable[[Variant], Path]
Tested = Callable[[str, str], None]

COOKIE = "__Host-session"
PASSWORD = "correct horse battery staple"
ME = "/api/v1/users/me"
AUTH = "/api/v1/auth"
# Endpoints of an owner: one sends the name of the user, the other starts a job that no worker runs.
OWN = """
from app.core.job_queue import DeleteFinishedJobs
from app.core.outbox import enqueue


@users_router.websocket("/live")
async def send_name(websocket: WebSocket, user: CurrentUser) -> None:
    await websocket.accept()
    await websocket.send_text(user.name)
    await websocket.close()


@users_router.post("/jobs")
async def start_job(session: Session, user: CurrentUser) -> UUID:
    return await enqueue(session, DeleteFinishedJobs(), owner_id=user.id)
"""
FETCH = """async ([url, method, body, mode]) => {
    const headers = body && mode === "cors" ? {"Content-Type": "application/json"} : {};
    try {
        const response = await fetch(url, {method, body, headers, mode, credentials: "include"});
        return [response.status, await response.text()];
    } catch (error) {
        return [0, String(error)];
    }
}"""
SUBMIT = """([url, body]) => {
    const form = document.createElement("form");
    Object.assign(form, {action: url, method: "post", enctype: "text/plain"});
    const field = document.createElement("input");
    // The browser sends NAME=VALUE, which is JSON here.
    Object.assign(field, {name: body.slice(0, -1) + ', "x": "', value: '"}'});
    form.append(field);
    document.body.append(form);
    form.submit();
}"""
SHOW_IMAGE = """(url) => new Promise((resolve) => {
    const image = new Image();
    image.onload = image.onerror = () => resolve();
    image.src = url;
})"""
CONNECT = """(url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onmessage = (event) => resolve(event.data);
    socket.onerror = () => resolve("rejected");
})"""
WATCH = """(url) => {
    window.states = [];
    window.connections = 0;
    window.source = new EventSource(url);
    source.onopen = () => connections++;
    source.onmessage = (event) => states.push(JSON.parse(event.data).state);
}"""


@dataclass
class Site:
    """A running service, and the origins of pages that are not its own."""

    origin: str
    listed: str
    others: list[str]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def site(rendered: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    variant = Variant("aiosqlite", auth="session", examples=(), jobs="database")
    folder = tmp_path_factory.mktemp("browser") / "service"
    service = Service(shutil.copytree(rendered(variant), folder), Path(sys.prefix))
    api = folder / "app" / "api.py"
    code = api.read_text().replace("from fastapi import ", "from fastapi import WebSocket, ", 1)
    marker = "# Your own endpoints go below this line: what updates add comes above it.\n"
    assert marker in code
    api.write_text(code.replace(marker, marker + OWN))
    with blank_pages() as listed, blank_pages() as other, database(service) as url:
        alembic(service, url, "upgrade head")
        origins = [f"http://localhost:{listed}"]
        with serving(
            service, url, cors_origins=origins, docs="true", jobs_in_process="false"
        ) as running:
            yield Site(
                str(running.client.base_url).replace("127.0.0.1", "localhost").rstrip("/"),
                origins[0],
                [f"http://localhost:{other}", f"http://{OTHER_SITE}:{other}"],
            )


@pytest.fixture
def visitor(chromium: Browser, site: Site, tested: Tested) -> Iterator[Page]:
    """A page of the service in a browser whose user is logged in."""
    tested("Chromium", chromium.version)
    context = chromium.new_context()
    yield logged_in(context, site)
    context.close()


def logged_in(context: BrowserContext, site: Site) -> Page:
    page = context.new_page()
    page.goto(f"{site.origin}/docs")
    account = {"email": f"{uuid4().hex}@example.org", "name": "Ada", "password": PASSWORD}
    assert call(page, "POST", f"{AUTH}/register", account)[0] == 201
    log_in(page, account["email"])
    return page


def log_in(page: Page, email: str) -> None:
    assert call(page, "POST", f"{AUTH}/login", {"email": email, "password": PASSWORD})[0] == 200


def call(page: Page, method: str, url: str, body: Any = None, mode: str = "cors") -> Any:
    """Send a request from a page with its cookies; returns the status, or 0, and the text."""
    text = None if body is None else json.dumps(body)
    status, response = page.evaluate(FETCH, [url, method, text, mode])
    return status, response


def email_of(page: Page) -> str:
    return str(json.loads(call(page, "GET", ME)[1])["email"])


def token_of(page: Page) -> str:
    [cookie] = [each for each in page.context.cookies() if each["name"] == COOKIE]
    return str(cookie["value"])


def count_logins(page: Page) -> int:
    return len(json.loads(call(page, "GET", f"{AUTH}/sessions")[1]))


def other_page(visitor: Page, origin: str) -> Page:
    """Open a page of another origin in the same browser."""
    page = visitor.context.new_page()
    page.goto(origin)
    return page


def test_login_sets_a_cookie_that_scripts_cannot_read(visitor: Page) -> None:
    assert call(visitor, "GET", ME)[0] == 200
    assert visitor.evaluate("document.cookie") == ""
    [cookie] = visitor.context.cookies()
    assert cookie["name"] == COOKIE
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
    assert call(visitor, "POST", f"{AUTH}/logout")[0] == 204
    assert visitor.context.cookies() == []
    assert call(visitor, "GET", ME)[0] == 401


def test_planted_token_is_not_that_of_the_login(visitor: Page, site: Site) -> None:
    email, planted = email_of(visitor), token_of(visitor)
    log_in(visitor, email)
    assert token_of(visitor) != planted
    # A page of another port can set a cookie of its host.
    visitor.context.clear_cookies()
    page = other_page(visitor, site.others[0])
    page.evaluate(f"document.cookie = '{COOKIE}={planted}; Secure; Path=/'")
    assert token_of(visitor) == planted
    assert call(visitor, "GET", ME)[0] == 401
    log_in(visitor, email)
    assert token_of(visitor) != planted
    assert email_of(visitor) == email


def test_change_of_the_password_replaces_the_token(visitor: Page) -> None:
    before = token_of(visitor)
    body = {"current_password": PASSWORD, "new_password": f"new {PASSWORD}"}
    assert call(visitor, "POST", f"{ME}/password", body)[0] == 204
    assert token_of(visitor) != before
    assert call(visitor, "GET", ME)[0] == 200


@pytest.mark.parametrize("other", [0, 1], ids=["same site", "other site"])
def test_page_of_another_origin_changes_nothing(visitor: Page, site: Site, other: int) -> None:
    origin = site.others[other]
    email = email_of(visitor)
    body = {"name": "Mallory"}
    page = other_page(visitor, origin)
    for method, path in [("POST", f"{AUTH}/logout"), ("POST", f"{AUTH}/logout-everywhere")]:
        call(page, method, site.origin + path, mode="no-cors")
        call(page, method, site.origin + path, body, mode="no-cors")
    for method, path in [("PATCH", ME), ("DELETE", ME), ("POST", f"{AUTH}/logout")]:
        assert call(page, method, site.origin + path, body)[0] == 0  # CORS
    for path in [f"{AUTH}/logout", f"{AUTH}/logout-everywhere", ME]:
        page.evaluate(SHOW_IMAGE, site.origin + path)
    for path in [f"{AUTH}/logout", f"{AUTH}/logout-everywhere", f"{AUTH}/login"]:
        page.goto(origin)
        with page.expect_response(site.origin + path) as expected:
            page.evaluate(SUBMIT, [site.origin + path, json.dumps({"email": email})])
        assert expected.value.status == 403
        page.wait_for_url(site.origin + path)  # or the next navigation interrupts this one
    assert email_of(visitor) == email
    assert json.loads(call(visitor, "GET", ME)[1])["name"] == "Ada"
    assert count_logins(visitor) == 1


@pytest.mark.parametrize("other", [0, 1], ids=["same site", "other site"])
def test_page_of_another_origin_reads_nothing(visitor: Page, site: Site, other: int) -> None:
    page = other_page(visitor, site.others[other])
    assert call(page, "GET", site.origin + ME)[0] == 0
    assert page.evaluate(CONNECT, f"{site.origin}/api/v1/users/live".replace("http", "ws")) == (
        "rejected"
    )


def test_pages_of_the_service_and_of_listed_origins_work(visitor: Page, site: Site) -> None:
    listed = other_page(visitor, site.listed)
    for page in (visitor, listed):
        assert call(page, "PATCH", site.origin + ME, {"name": "Grace"})[0] == 200
        live = f"{site.origin}/api/v1/users/live".replace("http", "ws")
        assert page.evaluate(CONNECT, live) == "Grace"


def test_stolen_cookie_ends_with_a_logout_everywhere(
    visitor: Page, chromium: Browser, site: Site
) -> None:
    stolen = {"Cookie": f"{COOKIE}={token_of(visitor)}", "Origin": site.origin}
    elsewhere = chromium.new_context().new_page()
    elsewhere.goto(f"{site.origin}/docs")
    log_in(elsewhere, email_of(visitor))
    assert httpx2.get(site.origin + ME, headers=stolen).status_code == 200
    assert call(elsewhere, "POST", f"{AUTH}/logout-everywhere")[0] == 204
    assert httpx2.get(site.origin + ME, headers=stolen).status_code == 401
    assert httpx2.post(f"{site.origin}{AUTH}/logout-everywhere", headers=stolen).status_code == 401
    assert call(visitor, "GET", ME)[0] == 401
    elsewhere.context.close()


def watch_job(page: Page) -> str:
    """Start a job and watch its events; return its URL."""
    job = f"/api/v1/jobs/{json.loads(call(page, 'POST', '/api/v1/users/jobs')[1])}"
    page.evaluate(WATCH, f"{job}/events")
    page.wait_for_function("states.length == 1")
    return job


def test_events_go_on_after_the_end_of_a_stream(visitor: Page) -> None:
    job = watch_job(visitor)
    visitor.wait_for_function("connections == 2")
    assert call(visitor, "POST", f"{job}/cancel")[0] == 200
    visitor.wait_for_function("source.readyState == EventSource.CLOSED")
    assert visitor.evaluate("states") == ["queued", "cancelled"]


def test_stream_ends_after_a_logout_everywhere(visitor: Page) -> None:
    watch_job(visitor)
    assert call(visitor, "POST", f"{AUTH}/logout-everywhere")[0] == 204
    visitor.wait_for_function("source.readyState == EventSource.CLOSED")
    assert visitor.evaluate("connections") == 1
