"""A network between a service and its database that can be cut, and counts what is sent."""

import ctypes
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Linux: a filter on a socket decides what reaches it; what it drops is not even acknowledged.
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
DROP = struct.pack("HBBI", 0x06, 0, 0, 0)  # `return 0`: keep nothing of the packet


class Network:
    """A TCP proxy. `sent` counts the messages to the server: one for each round trip."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self.listener.getsockname()[1]
        self.sent = 0
        self.clients: list[socket.socket] = []
        self.servers: list[socket.socket] = []
        self.connected = threading.Event()
        self.connected.set()
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Lose every packet from now on, of open connections and of new ones."""
        self.connected.clear()
        self._filter([self.listener, *self.clients])

    def mend(self) -> None:
        """Let new connections through. Those that were cut stay lost, as behind a firewall."""
        with suppress(OSError):
            self.listener.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self.connected.set()

    def close(self) -> None:
        self.closed = True
        self.connected.set()
        for each in (self.listener, *self.clients, *self.servers):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @staticmethod
    def _filter(sockets: list[socket.socket]) -> None:
        program = ctypes.create_string_buffer(DROP)
        instructions = struct.pack("HL", 1, ctypes.addressof(program))
        for each in sockets:
            with suppress(OSError):  # closed meanwhile
                each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, instructions)

    def _accept(self) -> None:
        while not self.closed:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.clients.append(client)
            self.servers.append(server)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        from_client = source in self.clients
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if not self.connected.is_set():
                    return  # lost, and nobody is told
                self.sent += from_client
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def network(server_port: int) -> Iterator[Network]:
    proxy = Network(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
