"""Encodes the items of a file, in batches, and puts them on the stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.glyphs.encoder import Drawing, GlyphEncoder
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import MAX_LISTED_ITEMS
from haleganada_server.core.outcomes import Outcome, raise_if_error

from ..changes.teaching import NewSample, Prequential
from ..ports import ImportItem, ImportStage, StagedSample
from ..types import RefusedItem
from .rehearsal import Rehearsal

_BATCH = 64
_BATCH_BYTES = 4 * 2**20  # of pictures that are not decoded yet, and strokes


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


def stage_items(
    items: Iterator[ImportItem | RefusedItem],
    stage: ImportStage,
    encoder: GlyphEncoder,
    rehearsal: Rehearsal,
    find_known: Callable[[Sequence[str]], set[str]],
    require_room: Callable[[int], None],
    cancellation: Cancellation,
) -> ImportTally:
    """Encode the items and put them on the stage, in batches; return which were refused. find_known: returns which of
    some keys are of items that are taught already. require_room: raises QuotaExceeded unless so many more samples fit.
    Raises only errors that concern all items: a full disk, a quota, an unreadable file, and what the cancellation
    raises.
    """
    tally, new = ImportTally(), 0
    for batch in _take_batches(items):
        prepared = list(_prepare_batch(batch, encoder, tally, cancellation))
        known = find_known([staged.key for staged in prepared])
        new += sum(staged.key not in known for staged in prepared)
        require_room(new)
        stage.add(
            [staged if staged.key in known else replace(staged, new=rehearsal.learn(staged.new)) for staged in prepared]
        )
        cancellation.check()
    reach("import.staged")
    return tally


def _take_batches(items: Iterator[ImportItem | RefusedItem]) -> Iterator[list[ImportItem | RefusedItem]]:
    """Yield the items in batches of at most 64, and of not many more bytes than one drawing may have."""
    batch: list[ImportItem | RefusedItem] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.glyph.memory_bytes if isinstance(item, ImportItem) else 0
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _prepare_batch(
    batch: list[ImportItem | RefusedItem], encoder: GlyphEncoder, tally: ImportTally, cancellation: Cancellation
) -> Iterator[StagedSample]:
    for refused in (entry for entry in batch if isinstance(entry, RefusedItem)):
        tally.add_refused(refused.item, refused.error)
    items = [entry for entry in batch if isinstance(entry, ImportItem)]
    for item, drawing in zip(items, _encode_items(items, encoder, cancellation), strict=True):
        try:
            yield StagedSample(item.item, item.key, _to_new_sample(item, raise_if_error(drawing), encoder))
        except HaleganadaError as error:
            tally.add_refused(item.item, error)


def _encode_items(items: list[ImportItem], encoder: GlyphEncoder, cancellation: Cancellation) -> list[Outcome[Drawing]]:
    """Encode each item's drawing; embeddings by the same weights are taken over as they are, bit for bit."""
    known = [_use_stored_embedding(item, encoder.embedder_hash) for item in items]
    glyphs = [item.glyph for item, drawing in zip(items, known, strict=True) if drawing is None]
    encoded = iter(encoder.encode_many(glyphs, cancellation, to_store=True))
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
