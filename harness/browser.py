"""A headless browser, and pages of other origins for it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser, sync_playwright

# A host of another site, which the browser finds on this machine.
OTHER_SITE = "evil.example"


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, as Debian packages it."""
    path = shutil.which("chromium")
    assert path, "chromium is not installed: run `scripts/setup.sh real`."
    options = ["--no-sandbox", f"--host-resolver-rules=MAP {OTHER_SITE} 127.0.0.1"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


class BlankPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page</title>")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def blank_pages() -> Iterator[int]:
    """Serve blank pages on this machine, whatever the host; yields the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BlankPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
