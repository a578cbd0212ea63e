"""Encoding the drawings of concurrent calls together.

A network computes eight drawings in less time than it takes for them one by one, and threads that fight for Python's
lock lose more. So one call at a time rasterizes, the leader. A call that finds none leads at once, others wait. The
leader takes the drawings of the calls behind it along. Before it embeds all of them, which needs no lock of Python's,
it passes the lead on to the call that has waited longest, which rasterizes meanwhile.

A drawing's raster and embedding do not depend on what is encoded with it, to the last bit on a CPU.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence

import numpy as np

from haleganada_server.core.baton import acquire, without_baton
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch, ok_values

from .ports import Embedder, EncodedGlyph, Raster, Rasterizer
from .types import Glyph


class _Call:
    """One caller's drawings. turn: released when they are encoded, or when the call is to lead."""

    __slots__ = ("cancellation", "encoded", "error", "glyphs", "leads", "turn", "weight")

    def __init__(self, glyphs: Sequence[Glyph], weight: int, cancellation: Cancellation) -> None:
        self.glyphs, self.weight, self.cancellation = glyphs, weight, cancellation
        self.turn = threading.Lock()
        self.leads = False
        self.encoded: list[Outcome[EncodedGlyph]] = []
        self.error: BaseException | None = None

    def result(self) -> list[Outcome[EncodedGlyph]]:
        """Return the drawings, or raise why there are none."""
        error, self.error = self.error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # or its traceback, this frame and the error would keep each other
        return self.encoded


class CombiningEncoder:
    """Encodes the drawings of all calls. Safe from any thread."""

    def __init__(self, rasterizer: Rasterizer, embedder: Embedder, most: int = 8, cores: int | None = None) -> None:
        """most: weight of the drawings that a leader encodes together, unless its own are more. cores: how many leaders
        may embed at once; None = as many as the machine has. Those with less weight of their own than that leave one
        core, unless it is the only one: in a flood of single drawings somebody must accept and refuse calls.
        """
        self._rasterizer, self._embedder, self._most = rasterizer, embedder, most
        cores = cores or os.cpu_count() or 1
        self._full, self._partial = threading.Semaphore(cores), threading.Semaphore(max(1, cores - 1))
        self._has_leader = False
        self._waiting: deque[_Call] = deque()
        self._lock = threading.Lock()

    def encode(
        self, glyphs: Sequence[Glyph], weight: int, cancellation: Cancellation = NEVER
    ) -> list[Outcome[EncodedGlyph]]:
        """Encode each drawing, or say why it cannot be used, together with those of other calls that wait. weight: of
        all the drawings, see batches.py. Raises Cancelled or DeadlineExceeded between two drawings.
        """
        call = _Call(glyphs, weight, cancellation)
        with self._lock:
            call.leads = not self._has_leader
            if call.leads:
                self._has_leader = True
            else:
                call.turn.acquire()
                self._waiting.append(call)
        if not call.leads:
            with without_baton():
                call.turn.acquire()
        if call.leads:
            self._lead(call)
        return call.result()

    def encode_alone(self, glyphs: Sequence[Glyph], cancellation: Cancellation = NEVER) -> list[Outcome[EncodedGlyph]]:
        """Encode drawings as encode does, but neither wait for other calls nor let them wait."""
        rasters = self._rasterize(glyphs, cancellation)
        return map_ok_batch(self._embed, rasters)

    def _lead(self, leader: _Call) -> None:
        """Encode the drawings of a call and of those that wait, and pass the lead on in between, whatever happens."""
        calls, cores = [leader], self._full if leader.weight >= self._most else self._partial
        try:
            rasters = self._rasterize_together(calls, cores)
            self._embed_together(calls, rasters, cores)
        except BaseException as error:
            for call in calls:
                call.error = call.error or error
        finally:
            for call in calls[1:]:
                call.turn.release()

    def _rasterize_together(self, calls: list[_Call], cores: threading.Semaphore) -> list[list[Outcome[Raster]]]:
        """Add the calls that wait to the leader's, return the rasters of each, and pass the lead on as soon as there is
        a core to embed them. Whoever calls it must release that core, unless it raises.
        """
        rasters = []
        try:
            calls += self._take_waiting(self._most - calls[0].weight)
            for call in calls:
                try:
                    rasters.append(self._rasterize(call.glyphs, call.cancellation))
                except Exception as error:  # this caller's own, who is gone for example
                    call.error = error
                    rasters.append([])
            acquire(cores)
        finally:
            self._pass_on()
        return rasters

    def _embed_together(
        self, calls: Sequence[_Call], rasters: Sequence[Sequence[Outcome[Raster]]], cores: threading.Semaphore
    ) -> None:
        try:
            embedded = iter(self._embed([raster for drawn in rasters for raster in ok_values(drawn)]))
        finally:
            cores.release()
        for call, drawn in zip(calls, rasters, strict=True):
            call.encoded = map_ok(lambda _: next(embedded), drawn)

    def _take_waiting(self, room: int) -> list[_Call]:
        """Return the calls that have waited longest, as long as there is room for all drawings of the next."""
        taken = []
        with self._lock:
            while self._waiting and self._waiting[0].weight <= room:
                room -= self._waiting[0].weight
                taken.append(self._waiting.popleft())
        return taken

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                call = self._waiting.popleft()
                call.leads = True
                call.turn.release()
            else:
                self._has_leader = False

    def _rasterize(self, glyphs: Sequence[Glyph], cancellation: Cancellation) -> list[Outcome[Raster]]:
        def rasterize(glyph: Glyph) -> Raster:
            cancellation.check()
            return self._rasterizer.rasterize(glyph, cancellation)

        return map_ok(rasterize, glyphs)

    def _embed(self, rasters: list[Raster]) -> list[EncodedGlyph]:
        if not rasters:
            return []
        together = np.stack(rasters) if len(rasters) > 1 else rasters[0][None]
        return [EncodedGlyph(*pair) for pair in zip(self._embedder.embed(together), rasters, strict=True)]
