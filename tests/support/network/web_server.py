"""Run waitress, which serves the page, in a thread of a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def run_in_thread(server: Any) -> Iterator[str]:
    """Serve until the block ends; yields HOST:PORT.

    The loop ends first: waitress's close(), called from another thread, closes sockets that the loop still asks for.
    """
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            server.asyncore.loop(timeout=0.1, map=server._map, use_poll=True, count=1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.effective_port}"
    finally:
        stopped.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)
