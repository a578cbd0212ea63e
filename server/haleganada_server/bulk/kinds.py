"""The kinds of bulk work: what becomes of each item."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from haleganada_server.app import Recognizers
from haleganada_server.core.cancellation import NEVER
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.limits import MAX_IMAGE_BYTES
from haleganada_server.core.outcomes import Outcome, map_ok, strip_traceback, zip_ok
from haleganada_server.core.reading.codec import options_from_json, page_to_json
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.taught.assembly import forget_ids
from haleganada_server.store.formats.items import item_key

from .documents import as_file
from .items import Item, ItemFiles
from .rows import Row, make_row

_TOGETHER, _TOGETHER_BYTES = 64, 16 * 2**20
"""Pictures that a worker holds at once, and their bytes, however large a block is."""

_WRONG_WITH_ALL = (
    Reason.ENGINE_NOT_FOUND,
    Reason.ENGINE_NOT_INSTALLED,
    Reason.LANGUAGE_NOT_INSTALLED,
    Reason.MODE_UNAVAILABLE,
    Reason.MODEL_NOT_FOUND,
    Reason.MODEL_DAMAGED,
    Reason.MODEL_DOES_NOT_FIT,
)
"""Reasons why no page can be read."""


class RunEnding(Exception):
    """Something that would be wrong with every item."""


class Kind(Protocol):
    """Makes one row for each item."""

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """Return a row for each item, in order: with an error, or with its values. Raises RunEnding, or HaleganadaError
        for what would be wrong with all items.
        """


class Predicting:
    """Recognizes pictures with a workspace, or a model."""

    def __init__(self, recognizers: Recognizers, settings: Row, facts: Row, scratch: Path) -> None:
        """settings: top_k, script_labels. facts: workspace, model, revision."""
        del scratch
        self._workspaces, self._files = recognizers.workspaces, ItemFiles()
        self._workspace, self._model, self._revision = facts["workspace"], facts["model"], facts["revision"]
        self._top_k, self._script_labels = settings["top_k"], settings["script_labels"]

    def rows(self, items: Sequence[Item]) -> list[Row]:
        return [
            make_row(item, outcome, _describe_prediction)
            for some, glyphs in _load_pictures(items, self._files)
            for item, outcome in zip(some, self._predict(glyphs), strict=True)
        ]

    def _predict(self, glyphs: Sequence[Outcome[Glyph]]) -> list[Outcome[Prediction]]:
        """Recognize with a head that has adapted to all that was taught, so that every worker answers alike."""
        with self._workspaces.use(self._workspace) as workspace:
            return workspace.predict_batch(
                glyphs, self._top_k, self._revision, self._model, script_labels=self._script_labels
            )


class Embedding:
    """Computes the embeddings of pictures."""

    def __init__(self, recognizers: Recognizers, settings: Row, facts: Row, scratch: Path) -> None:
        del settings, facts, scratch
        self._encoder, self._files = recognizers.encoder, ItemFiles()

    def rows(self, items: Sequence[Item]) -> list[Row]:
        return [
            make_row(item, outcome, self._describe)
            for some, glyphs in _load_pictures(items, self._files)
            for item, outcome in zip(some, self._encoder.encode_many(glyphs), strict=True)
        ]

    def _describe(self, drawing: Drawing) -> Row:
        return {"embedding": drawing.embedding.tolist(), "embedder": self._encoder.embedder_hash}


class Teaching:
    """Encodes labeled pictures as they are taught; run.py teaches them when all are there."""

    def __init__(self, recognizers: Recognizers, settings: Row, facts: Row, scratch: Path) -> None:
        del settings, facts, scratch
        self._encoder, self._files = recognizers.encoder, ItemFiles()

    def rows(self, items: Sequence[Item]) -> list[Row]:
        return [
            make_row(item, outcome, partial(self._describe, item))
            for some, glyphs in _load_pictures(items, self._files)
            for item, outcome in zip(some, zip_ok(glyphs, self._encoder.encode_many(glyphs)), strict=True)
        ]

    def _describe(self, item: Item, encoded: tuple[Glyph, Drawing]) -> Row:
        picture, drawing = encoded
        kind, glyph = self._encoder.to_stored(drawing)
        key = item_key(item.label, picture.image or b"", 0)
        return {"key": key, "kind": kind, "glyph": glyph, "embedding": drawing.embedding.tolist()}


class Reading:
    """Reads pages."""

    def __init__(self, recognizers: Recognizers, settings: Row, facts: Row, scratch: Path) -> None:
        """settings: options, as core/reading/codec.py has them. facts: workspace."""
        self._reader, self._files, self._scratch = recognizers.pages, ItemFiles(), scratch
        self._options = replace(options_from_json(settings["options"]), workspace=facts["workspace"])

    def rows(self, items: Sequence[Item]) -> list[Row]:
        return [make_row(item, self._read(item), _describe_page) for item in items]

    def _read(self, item: Item) -> Outcome[PageReading]:
        try:
            with as_file(item, self._files, self._scratch) as path:
                read = self._reader.read_page(path, item.page, self._options, NEVER)
        except HaleganadaError as error:
            if error.reason in _WRONG_WITH_ALL:
                raise
            return strip_traceback(error)
        return forget_ids(read.page) if read.taught else read.page


KINDS: dict[str, Callable[[Recognizers, Row, Row, Path], Kind]] = {
    "predict": Predicting,
    "embed": Embedding,
    "read": Reading,
    "teach": Teaching,
}


def _load_pictures(items: Sequence[Item], files: ItemFiles) -> Iterator[tuple[Sequence[Item], list[Outcome[Glyph]]]]:
    """Yield the items with their pictures, as many at a time as may be in memory."""
    start, glyphs, size = 0, [], 0  # type: tuple[int, list[Outcome[Glyph]], int]
    for end, item in enumerate(items, start=1):
        (glyph,) = map_ok(lambda item: Glyph(image=files.read(item, MAX_IMAGE_BYTES)), [item])
        glyphs.append(glyph)
        size += 0 if isinstance(glyph, HaleganadaError) else glyph.memory_bytes
        if len(glyphs) == _TOGETHER or size >= _TOGETHER_BYTES or end == len(items):
            yield items[start:end], glyphs
            start, glyphs, size = end, [], 0


def _describe_page(page: PageReading) -> Row:
    found = page_to_json(page)
    del found["elapsed_ms"]  # which is another one in every run
    return {
        "text": page.text,
        "lines": sum(len(block.lines) for block in page.blocks),
        "width": page.width,
        "height": page.height,
        "reading": json.dumps(found, ensure_ascii=False),
    }


def _describe_prediction(prediction: Prediction) -> Row:
    candidates = [
        {
            "label": candidate.label,
            "canonical": candidate.canonical,
            "probability": candidate.probability,
            "canonical_probability": candidate.canonical_probability,
        }
        for candidate in prediction.candidates
    ]
    best = candidates[0] if candidates else {}
    return {
        "label": best.get("label"),
        "canonical": best.get("canonical"),
        "probability": best.get("probability"),
        "canonical_probability": best.get("canonical_probability"),
        "unknown_probability": prediction.unknown_probability,
        "decision": prediction.decision.value,
        "candidates": candidates,
        "model": prediction.model,
        "revision": prediction.revision,
    }
