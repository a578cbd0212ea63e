"""Teaching what a file holds: in batches, each item once however often the file is imported, refusals listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.glyphs.encoder import Drawing, GlyphEncoder
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import MAX_LISTED_ITEMS
from haleganada_server.core.outcomes import Outcome, raise_if_error

from .changes import NewSample, Origin, Past, teach
from .commit_queue import CommitQueue, Pending
from .draft import Draft
from .ports import ImportItem
from .types import RefusedItem, Taught

_BATCH = 64


@dataclass(slots=True)
class ImportCount:
    """What became of the items so far; of the refused ones the first thousand are kept."""

    taught: int = 0
    duplicates: int = 0
    refused_total: int = 0
    refused: list[RefusedItem] = field(default_factory=list)

    def refuse(self, item: str, error: Exception) -> None:
        """Note a refused item."""
        self.refused_total += 1
        if len(self.refused) < MAX_LISTED_ITEMS:
            self.refused.append(RefusedItem(item, error))


def import_items(
    items: Iterator[ImportItem | RefusedItem], encoder: GlyphEncoder, queue: CommitQueue, client: str
) -> ImportCount:
    """Teach the items, a batch to a commit. Raises only what fails them all: a full disk, an unreadable file."""
    count = ImportCount()
    while batch := list(islice(items, _BATCH)):
        _import_batch(batch, encoder, queue, client, count)
    return count


def _import_batch(
    batch: list[ImportItem | RefusedItem], encoder: GlyphEncoder, queue: CommitQueue, client: str, count: ImportCount
) -> None:
    for refused in (entry for entry in batch if isinstance(entry, RefusedItem)):
        count.refuse(refused.item, refused.error)
    items = [entry for entry in batch if isinstance(entry, ImportItem)]
    queued: list[tuple[str, Pending]] = []
    for item, drawing in zip(items, _drawings(items, encoder), strict=True):
        try:
            new = _new_sample(item, raise_if_error(drawing), encoder)
            queued.append((item.item, Pending(_teach_once(item, new, client))))
        except HaleganadaError as error:
            count.refuse(item.item, error)
    queue.run([pending for _, pending in queued])
    for name, pending in queued:
        _count(name, pending, count)


def _count(name: str, pending: Pending, count: ImportCount) -> None:
    if isinstance(pending.error, HaleganadaError):
        count.refuse(name, pending.error)
    elif pending.result().duplicate:
        count.duplicates += 1
    else:
        count.taught += 1


def _drawings(items: list[ImportItem], encoder: GlyphEncoder) -> list[Outcome[Drawing]]:
    """Each item's drawing; embeddings that the same weights made are taken over as they are, bit for bit."""
    known = [_embedded(item, encoder.embedder_hash) for item in items]
    fresh = iter(
        encoder.encode_many([item.glyph for item, drawing in zip(items, known, strict=True) if drawing is None])
    )
    return [drawing if drawing is not None else next(fresh) for drawing in known]


def _embedded(item: ImportItem, embedder_hash: str) -> Drawing | None:
    if item.stored_glyph is None or item.embedding is None or item.embedder_hash != embedder_hash:
        return None
    return Drawing(item.embedding, item.stored_glyph)


def _new_sample(item: ImportItem, drawing: Drawing, encoder: GlyphEncoder) -> NewSample:
    label = normalize_label(item.label)
    canonical = normalize_label(item.canonical, "canonical") if item.canonical else ""
    past = None
    if item.loss is not None and item.time_us:
        past = Past(item.time_us, item.loss, item.predicted, item.new_label, item.correction)
    variant_of = canonical if canonical != label else ""
    return NewSample(label, variant_of, encoder.to_stored(drawing), drawing.embedding, encoder.embedder_hash, past=past)


def _teach_once(item: ImportItem, new: NewSample, client: str) -> Callable[[Draft], Taught]:
    """Teach an item unless it was imported before and is still known; one that was forgotten since is taught again."""

    def change(draft: Draft) -> Taught:
        request_id = f"import:{item.key}"
        while (earlier := draft.log.answered(request_id)) is not None and draft.log.sample(earlier.sample_id) is None:
            request_id = f"import:{item.key}@{earlier.revision}"
        return teach(new, Origin(request_id, None, client, ("import", item.key)))(draft)

    return change
