"""Calls that are answered later because their callers want to wait for something: a few, and without their turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from haleganada_server.core.errors import Exhausted
from haleganada_server.rpc.access.present import find_identity
from haleganada_server.rpc.caller import share_of

from .places import Places
from .workers import Workers


class Waits:
    """Lets calls wait within their turns, which others have meanwhile."""

    def __init__(self, workers: Workers, places: Places) -> None:
        self._workers, self._places = workers, places

    @contextmanager
    def one(self, context: grpc.ServicerContext) -> Iterator[bool]:
        """Leave the turn for the block, which gets whether it may wait: not if too many do already."""
        caller, peer = share_of(find_identity(), context), context.peer()
        try:
            self._places.take(caller, peer)
        except Exhausted:
            yield False
            return
        try:
            with self._workers.pause(caller):
                yield True
        finally:
            self._places.give_back(caller, peer)
