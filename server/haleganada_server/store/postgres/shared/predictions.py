"""How a server gets the drawing of a prediction that another one made: it asks all of them, and the one that remembers
it puts it into the database. A Predict costs nothing more for that.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import psycopg

from haleganada_server.core.baton import without_baton
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.workspaces.prediction_memory import RememberedPrediction
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import UNREACHABLE, database_errors
from haleganada_server.store.sample_log import row_mapping

_CHANNEL = "haleganada_predictions"
_PATIENCE_S = 1.0  # of who asks
_LOOK_S, _RETRY_S, _JOIN_S = 0.01, 0.5, 10.0
_ASK = "SELECT pg_notify(%s, %s)"
_GIVE = (
    "INSERT INTO predictions (prediction_id, workspace, glyph_kind, glyph, embedding, synthetic, predicted, revision) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_TAKE = (
    "DELETE FROM predictions WHERE prediction_id = %s AND workspace = %s "
    "RETURNING glyph_kind, glyph, embedding, synthetic, predicted, revision"
)
_FORGET = "DELETE FROM predictions WHERE at < now() - interval '1 minute'"
_log = logging.getLogger(__name__)

Find = Callable[[str, str], RememberedPrediction | None]


class SharedPredictions:
    """core.workspaces.prediction_memory.OtherMemories. Safe from any thread. close() it once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def answer(self, find: Find) -> None:
        self._thread = threading.Thread(target=self._listen, args=(find,), name="predictions", daemon=True)
        self._thread.start()

    def ask(self, workspace: str, prediction_id: str) -> RememberedPrediction | None:
        with database_errors(workspace), without_baton():
            self._database.execute(_ASK, (_CHANNEL, json.dumps([workspace, prediction_id])))
            end_s = time.monotonic() + _PATIENCE_S
            while time.monotonic() < end_s and not self._closing.is_set():
                if found := self._database.fetch(_TAKE, (prediction_id, workspace)):
                    return _to_prediction(*found[0])
                time.sleep(_LOOK_S)
        return None

    def close(self) -> None:
        """Answer no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _listen(self, find: Find) -> None:
        connection: Connection | None = None
        while not self._closing.is_set():
            try:
                connection = connection or self._connect()
                for notice in connection.notifies(timeout=_RETRY_S, stop_after=1):
                    self._give(notice.payload, find)
            except (HaleganadaError, *UNREACHABLE):  # who asked is told that nobody remembers it
                if connection is not None:
                    connection.close()
                connection = None
                self._closing.wait(_RETRY_S)
            except Exception:
                _log.exception("a prediction cannot be given to another server")
        if connection is not None:
            connection.close()

    def _connect(self) -> Connection:
        connection = self._database.connect()
        connection.execute(f"LISTEN {_CHANNEL}")
        return connection

    def _give(self, payload: str, find: Find) -> None:
        with suppress(ValueError, TypeError):
            workspace, prediction_id = map(str, json.loads(payload))
            if (found := find(workspace, prediction_id)) is not None:
                drawing = found.drawing
                assert isinstance(drawing.source, tuple), "it is in its stored form"
                values = (
                    prediction_id, workspace, *drawing.source, row_mapping.vector_bytes(drawing.embedding),
                    drawing.synthetic, found.predicted, found.revision,
                )  # fmt: skip
                self._database.execute(_GIVE, values)
                with suppress(psycopg.Error):
                    self._database.execute(_FORGET)


def _to_prediction(
    glyph_kind: str, glyph: bytes, embedding: bytes, synthetic: bool, predicted: str, revision: int
) -> RememberedPrediction:
    vector = np.frombuffer(embedding, dtype="<f4")
    return RememberedPrediction(Drawing(vector, (glyph_kind, bytes(glyph)), synthetic), predicted, revision)
