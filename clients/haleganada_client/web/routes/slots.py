"""How many uploads there may be at once: each holds one of the page's threads until the server has dealt with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from haleganada_client.errors import Exhausted

UPLOADS_AT_ONCE = 4


def make_upload_slots() -> threading.BoundedSemaphore:
    """Return the slots for uploads; an application keeps them in its extensions."""
    return threading.BoundedSemaphore(UPLOADS_AT_ONCE)


@contextmanager
def upload_slot() -> Iterator[None]:
    """Hold a slot for the block. Raises Exhausted if none is free."""
    slots: threading.BoundedSemaphore = current_app.extensions["haleganada_uploads"]
    if not slots.acquire(blocking=False):
        raise Exhausted("other uploads are under way; try again when they are done", "TOO_MANY_UPLOADS", "", 2.0)
    try:
        yield
    finally:
        slots.release()
