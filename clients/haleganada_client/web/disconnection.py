"""Calls that end when the browser that waits for them has gone: nobody else wants their answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import request

from haleganada_client.client import HaleganadaClient

_PAUSE_S = 0.2


@contextmanager
def client_for_this_request(client: HaleganadaClient) -> Iterator[HaleganadaClient]:
    """Yield a client like another one, which is closed at the end of the block, or as soon as the connection of the
    present request is: then its calls are cancelled, and raise FailedPrecondition.
    """
    is_gone: Callable[[], bool] | None = request.environ.get("waitress.client_disconnected")
    over = threading.Event()
    with HaleganadaClient(config=client.config) as own:

        def watch(is_gone: Callable[[], bool]) -> None:
            while not over.wait(_PAUSE_S):
                if is_gone():
                    own.close()
                    return

        thread = threading.Thread(target=watch, args=(is_gone,), daemon=True) if is_gone else None
        try:
            if thread:
                thread.start()
            yield own
        finally:
            over.set()
            if thread:
                thread.join()  # before the block's end closes it, too
