"""A TCP proxy between a service and its database that can drop all packets."""

import ctypes
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# A socket filter (Linux) drops packets before the kernel acknowledges them.
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
NO_ADDRESS = bytes(16)  # connecting to it (AF_UNSPEC) resets a connection
DROP = struct.pack("HBBI", 0x06, 0, 0, 0)  # the BPF program `return 0`


class Network:
    """A TCP proxy. `sent` counts the messages to the server, which are the round trips.

    `server_port` may be changed, as the address behind a name: open connections stay as they are.
    """

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
        """Drop every packet of open and new connections."""
        self.connected.clear()
        self._drop([self.listener, *self.clients])

    def restore(self) -> None:
        """Accept new connections. Cut connections stay lost, as behind a firewall."""
        with suppress(OSError):
            self.listener.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self.connected.set()

    def reset(self) -> None:
        """Reset every open connection, as a firewall does that has forgotten it."""
        for each in self.clients:
            ctypes.CDLL(None).connect(each.fileno(), NO_ADDRESS, len(NO_ADDRESS))

    def close(self) -> None:
        self.closed = True
        self.connected.set()
        for each in (self.listener, *self.clients, *self.servers):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @staticmethod
    def _drop(sockets: list[socket.socket]) -> None:
        program = ctypes.create_string_buffer(DROP)
        instructions = struct.pack("HL", 1, ctypes.addressof(program))
        for each in sockets:
            with suppress(OSError):  # closed in the meantime
                each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, instructions)

    def _accept(self) -> None:
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                client.close()
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
            while data := self._receive(source):
                if not self.connected.is_set():
                    return  # the data is lost silently
                self.sent += from_client
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _receive(self, source: socket.socket) -> bytes:
        try:
            return source.recv(1 << 16)
        except ConnectionResetError:
            # A server that ends resets connections that it has not accepted yet.
            if source in self.servers:
                return b""
            raise


@contextmanager
def network(server_port: int) -> Iterator[Network]:
    proxy = Network(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
