"""Hostile requests as the bytes that a client sends, and the status of the response."""

from tests.hostile.corpus import QUERY_SECRET

HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
POST = b"POST /api/v1/projects HTTP/1.1\r\n" + HOST + CLOSE + b"Content-Type: application/json\r\n"

# The server responds to these before the application sees them.
REJECTED_BY_SERVER: dict[str, tuple[bytes, int]] = {
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n", 400),
    "unknown method": (b"ECHO / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "unknown version": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400),
    "header without colon": (b"GET / HTTP/1.1\r\n" + HOST + b"nothing\r\n\r\n", 400),
    "NUL in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: \x00\r\n\r\n", 400),
    "blank before the colon": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A : b\r\n\r\n", 400),
    "blank in the path": (b"GET /health live HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "length that is not a number": (POST + b"Content-Length: many\r\n\r\n", 400),
    "length of 40 digits": (POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "length and chunks": (
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "header of 10 MB": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 10_000_000, 431),
    "headers of 10 MB": (b"GET / HTTP/1.1\r\n" + HOST + b"X: x\r\n" * 1_700_000, 431),
    "URL of 10 MB": (b"GET /" + b"x" * 10_000_000, 414),
    "POST upgrades to a WebSocket": (
        b"POST /api/v1/projects HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
        b"Upgrade: websocket\r\nContent-Length: 2\r\n\r\n{}",
        400,
    ),
    "WebSocket with a long header": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"X: " + b"x" * 10_000 + b"\r\n\r\n",
        400,
    ),
    "upgrade to a WebSocket": (
        b"GET /api/v1/projects?token=%b HTTP/1.1\r\n" % QUERY_SECRET.encode()
        + HOST
        + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        403,
    ),
}

# The application has begun to read these when the server finds out, so either may answer.
RAW: dict[str, tuple[bytes, set[int]]] = {
    "chunk of no size": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", {400}),
    "chunk of a negative size": (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n", {400}),
    "chunk of 2**80": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 20 + b"\r\n{}", {400}),
    "chunk extension of 10 MB": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 10_000_000,
        {401, 431},
    ),
    "trailers of 10 MB": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: x\r\n" * 1_700_000,
        {401, 431},
    ),
    "1 GB is announced": (POST + b"Content-Length: 1000000000\r\n\r\n", {401, 413}),
    "1 GB is announced, and 100 is expected": (
        POST + b"Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n",
        {401, 413},
    ),
    "more than announced": (POST + b"Content-Length: 2\r\n\r\n{}{}{}", {401, 422}),
    "chunks of one byte": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 1000 + b"0\r\n\r\n",
        {401, 422},
    ),
    "no host": (b"GET /api/v1/projects HTTP/1.1\r\n" + CLOSE + b"\r\n", {421}),
    "host of half a quote": (
        b'GET /api/v1/projects HTTP/1.1\r\nHost: "\xff:x\r\n' + CLOSE + b"\r\n",
        {421},
    ),
    "two hosts": (
        b"GET /nowhere HTTP/1.1\r\n" + HOST + b"Host: example.org\r\n" + CLOSE + b"\r\n",
        {404, 421},
    ),
    "HTTP/0.9": (b"GET /\r\n\r\n", {421}),
    "HTTP/1.0": (b"GET /nowhere HTTP/1.0\r\n" + HOST + b"\r\n", {404}),
    "whole URL": (b"GET http://localhost/nowhere HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", {404}),
    "star": (b"OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", {404}),
    "broken escape": (b"GET /%zz%%0 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", {404}),
    "up and away": (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", {404}),
    "many slashes": (b"GET ///////api//v1/ HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", {404}),
    "path of 60 kB": (b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", {404}),
    "query of 60 kB": (
        b"GET /nowhere?" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
        {404},
    ),
    "unknown upgrade": (
        b"GET /nowhere HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n",
        {404},
    ),
}

# Incomplete requests, after which the client disconnects.
INCOMPLETE = {
    "part of a line": b"GET /heal",
    "part of the headers": b"GET / HTTP/1.1\r\nHost: loc",
    "less than announced": POST + b"Content-Length: 200\r\n\r\n{}",
    "chunks without end": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
}
