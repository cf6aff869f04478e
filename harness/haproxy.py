"""HAProxy in front of the nodes of a Galera cluster, from a package of Debian in a folder."""

import http.server
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pymysql

from harness import debian
from harness.galera import Node
from harness.waiting import free_port, wait_until_reachable

RELEASE = "trixie"


@contextmanager
def checked(node: Node) -> Iterator[int]:
    """The port of a health check, which succeeds while the node is synchronized."""

    class Check(http.server.BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            try:
                is_synced = node.is_synced()
            except pymysql.Error:
                is_synced = False
            self.send_response(200 if is_synced else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Check)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def haproxy(configuration: str, nodes: Sequence[Node], folder: Path) -> Iterator[int]:
    """The port of HAProxy.

    The configuration has the nodes as `db1:3306 check port 9200` and so on.
    """
    root = debian.unpacked("haproxy", RELEASE)
    port = free_port()
    configuration = configuration.replace("bind :3306", f"bind 127.0.0.1:{port}")
    with ExitStack() as stack:
        for number, node in enumerate(nodes, start=1):
            check = stack.enter_context(checked(node))
            line = f"db{number}:3306 check port 9200"
            assert line in configuration
            configuration = configuration.replace(line, f"127.0.0.1:{node.port} check port {check}")
        file, log = folder / "haproxy.cfg", folder / "haproxy.log"
        file.write_text(configuration)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*debian.loading(root), str(root / "usr/sbin/haproxy"), "-db", "-f", str(file)],
                stdout=output,
                stderr=output,
            )
        try:
            wait_until_reachable(
                lambda: socket.create_connection(("127.0.0.1", port)).close(), OSError, process, log
            )
            yield port
        finally:
            process.kill()
            process.wait()
