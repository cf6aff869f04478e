"""Hostile HTTP: bodies, headers and methods, which never reach the driver."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse

import pytest

from tests.hostile import corpus
from tests.hostile.attacked import Attacked
from tests.hostile.endpoints import Choose, Endpoint, assert_harmless
from tests.hostile.raw_requests import INCOMPLETE, RAW, REJECTED_BY_SERVER


def test_hostile_bodies_do_no_harm(endpoints: list[Endpoint], choose: Choose) -> None:
    for endpoint in endpoints:
        if (accepted := endpoint.accepted) is None:
            continue
        contents = corpus.CONTENTS | (corpus.CSV_FILES if endpoint.is_file else {})
        for kind, content in choose(contents):
            content = content.replace(b"%s", accepted)
            headers = {"Content-Type": kind} if kind else {}
            response = endpoint.send(content=content, headers=headers)
            if len(content) > 1_000_000:
                assert response.status_code in {413, 422}


def test_hostile_headers_and_tokens_do_no_harm(endpoints: list[Endpoint], choose: Choose) -> None:
    for endpoint in endpoints:
        for headers in choose(corpus.HEADERS):
            endpoint.send(json=endpoint.body, headers=headers)
        if "security" in endpoint.document:
            session = endpoint.attacked.variant.auth == "session"
            for token in choose(corpus.COOKIES if session else corpus.TOKENS):
                headers = {"Cookie" if session else "Authorization": token}
                response = endpoint.send(json=endpoint.body, headers=headers)
                assert response.status_code == 401


def test_method_that_is_not_allowed_is_405_with_the_allowed_ones(endpoints: list[Endpoint]) -> None:
    allowed: dict[str, set[str]] = {}
    for endpoint in endpoints:
        url = endpoint.path.format(**endpoints[0].resources)
        methods = {endpoint.method.upper()} | ({"HEAD"} if endpoint.method == "get" else set())
        allowed.setdefault(url, set()).update(methods)
    for url, right in allowed.items():
        for method in set(corpus.METHODS) - right:
            response = endpoints[0].attacked.request(method, url)
            assert_harmless(response)
            assert response.status_code == 405
            assert set(response.headers["allow"].split(", ")) == right


def test_response_to_head_is_that_to_get_without_its_body(endpoints: list[Endpoint]) -> None:
    for endpoint in endpoints:
        if endpoint.method != "get":
            continue
        responses = [endpoint.attacked.request(method, endpoint.url) for method in ("GET", "HEAD")]
        get, head = responses
        assert (head.status_code, head.content) == (get.status_code, b"")
        for response in responses:
            del response.headers["date"], response.headers["x-request-id"]
            response.headers.pop("transfer-encoding", None)  # which GET has for a stream
        assert head.headers == get.headers
        if etag := get.headers.get("etag"):
            conditional = {"If-None-Match": etag}
            unchanged = endpoint.attacked.request("HEAD", endpoint.url, headers=conditional)
            read = endpoint.attacked.request("GET", endpoint.url, headers=conditional)
            assert unchanged.status_code == read.status_code == 304
            assert unchanged.content == read.content == b""
            wrong = endpoint.attacked.request("GET", endpoint.url, headers={"If-None-Match": '"0"'})
            assert wrong.json() == get.json()


@pytest.mark.usefixtures("endpoints")
def test_malformed_requests_are_rejected(attacked: Attacked) -> None:
    rejected = {name: (raw, {status}) for name, (raw, status) in REJECTED_BY_SERVER.items()}
    for name, (request, statuses) in (rejected | RAW).items():
        status, kind, body = send_raw(attacked, request)
        assert status in statuses, f"{name}: {status} {body!r}"
        if kind != "text/plain":  # from `websockets`
            assert (kind, json.loads(body)["status"]) == ("application/problem+json", status)


@pytest.mark.usefixtures("endpoints")
def test_clients_that_disconnect_do_no_harm(attacked: Attacked) -> None:
    for request in INCOMPLETE.values():
        with connected(attacked) as connection:
            connection.sendall(request)


@contextmanager
def connected(attacked: Attacked) -> Iterator[socket.socket]:
    url = attacked.running.client.base_url
    with socket.create_connection((url.host, url.port), timeout=20) as connection:
        yield connection


def send_raw(attacked: Attacked, request: bytes) -> tuple[int, str, bytes]:
    """Status, content type and body of the response to a raw request."""
    with connected(attacked) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        return response.status, response.headers.get_content_type(), response.read()
