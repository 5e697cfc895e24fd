"""A network that can go dark: it takes what is sent and passes nothing on."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES = 65536


class Proxy:
    """Forwards connections to a server, until it is told to fall silent."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._light = threading.Event()
        self._light.set()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def go_dark(self) -> None:
        """Pass nothing on from now; nobody is told."""
        self._light.clear()

    def come_back(self) -> None:
        """Cut the connections there are, as a router that has forgotten them; take new ones."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._light.set()

    def end(self) -> None:
        """Cut all and take nothing more."""
        self._listener.close()
        self.come_back()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_BYTES):
                self._light.wait()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                # Closing alone tells nobody as long as the other thread waits in recv().
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def proxy_to(server: tuple[str, int]) -> Iterator[Proxy]:
    """Give a proxy to the server."""
    proxy = Proxy(server)
    try:
        yield proxy
    finally:
        proxy.end()
