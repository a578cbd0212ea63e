"""The checksums of a workspace's rows.

Each event carries a digest of itself and of the digest before it, so that the events form a chain: a changed, missing
or exchanged one breaks it. Each sample carries three CRC-32s, of its facts, of its embedding and of its drawing. All of
them depend on the workspace's name and time of creation, so that a row of another workspace does not fit either.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b as _blake2b
from itertools import repeat
from operator import add
from typing import Any
from zlib import crc32 as _crc32

DIGEST_BYTES = 16
CHECKED_EVENT = (
    "revision, time_us, sample_id, target, kind, request_id, client, label, previous, canonical, answer, payload_hash"
)
"""The columns that event_digest takes: all but undone_by, which follows from the events that undo others."""
CHECKED_FACTS = (
    "sample_id, forgotten, new_label, correction, predicted_revision, time_us, revision, loss, label, predicted"
)
"""The columns that facts_check takes."""
UNREADABLE = (struct.error, TypeError, AttributeError, ValueError)
"""What the checks raise for a value of a wrong type, which only a damaged row has."""
_pack_event_numbers = struct.Struct("<4q").pack
_pack_fact_numbers = struct.Struct("<7qd").pack


class RowChecks:
    """Computes the checksums of one workspace's rows."""

    def __init__(self, name: str, created_us: int) -> None:
        origin = f"{name}\0{created_us}".encode("utf-8", "surrogatepass")
        self.start = _blake2b(origin, digest_size=DIGEST_BYTES).digest()
        """The digest before the first event."""
        self._seed = _crc32(origin)

    def event_digest(self, previous: bytes, row: Sequence[Any]) -> bytes:
        """Return the digest of an event, 16 bytes. previous: of the event before it. row: the columns CHECKED_EVENT."""
        revision, time_us, sample_id, target, kind, request_id, client, label, before, canonical, answer, hashed = row
        texts = "\0".join((kind, request_id or "", client, label, before, canonical, answer, ""))
        numbers = _pack_event_numbers(revision, time_us, sample_id, target)
        content = previous + numbers + texts.encode("utf-8", "surrogatepass") + (hashed or b"")
        return _blake2b(content, digest_size=DIGEST_BYTES).digest()

    def event_digests(self, before: Sequence[bytes], columns: Sequence[Sequence[Any]]) -> list[bytes]:
        """Return what event_digest returns for each of several events, quicker. before[i]: the digest before the i-th
        of them. columns: CHECKED_EVENT, a sequence for each.
        """
        revisions, times_us, sample_ids, targets, kinds, request_ids, *texts, hashes = columns
        joined = map(
            "\0".join, zip(kinds, [text or "" for text in request_ids], *texts, repeat("", len(kinds)), strict=True)
        )
        numbers = map(_pack_event_numbers, revisions, times_us, sample_ids, targets)
        rest = [hashed or b"" for hashed in hashes]
        contents = map(b"".join, zip(before, numbers, map(str.encode, joined), rest, strict=True))
        return [_blake2b(content, digest_size=DIGEST_BYTES).digest() for content in contents]

    def facts_check(self, row: Sequence[Any]) -> int:
        """Return the CRC-32 of a sample's facts. row: the columns CHECKED_FACTS."""
        first, second, third, fourth, fifth, sixth, seventh, loss, label, predicted = row  # quicker than *numbers
        texts = f"{label}\0{predicted}".encode("utf-8", "surrogatepass")
        loss += 0.0  # SQLite does not keep the sign of -0.0
        packed = _pack_fact_numbers(first, second, third, fourth, fifth, sixth, seventh, loss)
        return _crc32(packed + texts, self._seed)

    def facts_checks(self, columns: Sequence[Sequence[Any]]) -> list[int]:
        """Return what facts_check returns for each of several samples, quicker. columns: CHECKED_FACTS, a sequence for
        each.
        """
        *numbers, losses, labels, predicted = columns
        packed = map(_pack_fact_numbers, *numbers, map(add, losses, repeat(0.0)))
        texts = map(str.encode, map("\0".join, zip(labels, predicted, strict=True)))
        return list(map(_crc32, map(add, packed, texts), repeat(self._seed)))

    def embedding_check(self, sample_id: int, embedder_hash: str, embedding: bytes) -> int:
        """Return the CRC-32 of a sample's embedding."""
        return _crc32(embedding, _crc32(f"{sample_id} {embedder_hash}".encode(), self._seed))

    def embedding_checks(
        self, sample_ids: Sequence[int], embedder_hashes: Sequence[str], embeddings: Sequence[bytes]
    ) -> list[int]:
        """Return what embedding_check returns for each of several samples, quicker."""
        origins = map(str.encode, map("{} {}".format, sample_ids, embedder_hashes))
        return list(map(_crc32, embeddings, map(_crc32, origins, repeat(self._seed))))

    def glyph_check(self, sample_id: int, glyph_kind: str, glyph: bytes) -> int:
        """Return the CRC-32 of a sample's drawing."""
        return _crc32(glyph, _crc32(f"{sample_id} {glyph_kind}".encode(), self._seed))
