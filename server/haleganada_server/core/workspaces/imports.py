"""Importing a file: its items are taught in batches, each once however often the file is imported; refused items are
listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.glyphs.encoder import Drawing, GlyphEncoder
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import MAX_LISTED_ITEMS
from haleganada_server.core.outcomes import Outcome, raise_if_error

from .changes import NewSample, Prequential, teach
from .commit_queue import CommitQueue, PendingChange
from .draft import Draft
from .ports import ImportItem
from .requests import Request
from .types import RefusedItem, Taught

_BATCH = 64


@dataclass(slots=True)
class ImportTally:
    """The outcome of the items so far; the first 1,000 refused ones are kept."""

    taught: int = 0
    duplicates: int = 0
    refused_total: int = 0
    refused: list[RefusedItem] = field(default_factory=list)

    def add_refused(self, item: str, error: Exception) -> None:
        """Count a refused item."""
        self.refused_total += 1
        if len(self.refused) < MAX_LISTED_ITEMS:
            self.refused.append(RefusedItem(item, error))


def import_items(
    items: Iterator[ImportItem | RefusedItem], encoder: GlyphEncoder, queue: CommitQueue, client: str
) -> ImportTally:
    """Teach the items, one batch per commit. Raises only errors that concern all items: a full disk, an unreadable
    file.
    """
    tally = ImportTally()
    while batch := list(islice(items, _BATCH)):
        _import_batch(batch, encoder, queue, client, tally)
    return tally


def _import_batch(
    batch: list[ImportItem | RefusedItem], encoder: GlyphEncoder, queue: CommitQueue, client: str, tally: ImportTally
) -> None:
    for refused in (entry for entry in batch if isinstance(entry, RefusedItem)):
        tally.add_refused(refused.item, refused.error)
    items = [entry for entry in batch if isinstance(entry, ImportItem)]
    queued: list[tuple[str, PendingChange]] = []
    for item, drawing in zip(items, _encode_items(items, encoder), strict=True):
        try:
            new = _to_new_sample(item, raise_if_error(drawing), encoder)
            queued.append((item.item, PendingChange(_teach_once(item, new, client))))
        except HaleganadaError as error:
            tally.add_refused(item.item, error)
    queue.run([pending for _, pending in queued])
    for name, pending in queued:
        _count_outcome(name, pending, tally)


def _count_outcome(name: str, pending: PendingChange, tally: ImportTally) -> None:
    if isinstance(pending.error, HaleganadaError):
        tally.add_refused(name, pending.error)
    elif pending.result().duplicate:
        tally.duplicates += 1
    else:
        tally.taught += 1


def _encode_items(items: list[ImportItem], encoder: GlyphEncoder) -> list[Outcome[Drawing]]:
    """Encode each item's drawing; embeddings by the same weights are taken over as they are, bit for bit."""
    known = [_use_stored_embedding(item, encoder.embedder_hash) for item in items]
    encoded = iter(
        encoder.encode_many([item.glyph for item, drawing in zip(items, known, strict=True) if drawing is None])
    )
    return [drawing if drawing is not None else next(encoded) for drawing in known]


def _use_stored_embedding(item: ImportItem, embedder_hash: str) -> Drawing | None:
    if item.stored_glyph is None or item.embedding is None or item.embedder_hash != embedder_hash:
        return None
    return Drawing(item.embedding, item.stored_glyph)


def _to_new_sample(item: ImportItem, drawing: Drawing, encoder: GlyphEncoder) -> NewSample:
    label = normalize_label(item.label)
    canonical = normalize_label(item.canonical, "canonical") if item.canonical else ""
    prequential = None
    if item.loss is not None and item.time_us:
        prequential = Prequential(
            time_us=item.time_us,
            loss=item.loss,
            predicted=item.predicted,
            new_label=item.new_label,
            correction=item.correction,
        )
    variant_of = canonical if canonical != label else ""
    return NewSample(
        label=label,
        variant_of=variant_of,
        stored=encoder.to_stored(drawing),
        embedding=drawing.embedding,
        embedder_hash=encoder.embedder_hash,
        prequential=prequential,
    )


def _teach_once(item: ImportItem, new: NewSample, client: str) -> Callable[[Draft], Taught]:
    """Teach an item unless it was imported before and is still taught; one that was forgotten since is taught again."""

    def change(draft: Draft) -> Taught:
        request_id = f"import:{item.key}"
        while (earlier := draft.log.find_event(request_id)) is not None and draft.log.sample(earlier.sample_id) is None:
            request_id = f"import:{item.key}@{earlier.revision}"
        return teach(new, Request(request_id, None, client, ("import", item.key)))(draft)

    return change
