"""A line between a client and a server that a test can cut, so that neither hears of it, as when a laptop sleeps."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Line:
    """Passes on what each side sends, until it is cut. is_mute: once the client has sent the marker, what the server
    answers there is lost. is_closed: nobody is let in.
    """

    marker = b"\x89PNG"
    is_mute = False
    is_closed = False

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._cut: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """Where the client connects."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Swallow what is sent on the connections of now; they stay open on both sides. New ones work."""
        self._cut.update(self._ends)

    def hang_up(self) -> None:
        """End the connections of now."""
        self._end(self._ends)

    def close(self) -> None:
        """End everything."""
        self._end([self._listener, *self._ends])

    @staticmethod
    def _end(ends: list[socket.socket]) -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.is_closed:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._ends += (near, far)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.is_mute and self.marker in data:
                    self._cut.add(sink)
                if source not in self._cut:
                    sink.sendall(data)


@contextmanager
def line_to(target: str) -> Iterator[Line]:
    """A line to a server."""
    line = Line(target)
    try:
        yield line
    finally:
        line.close()
