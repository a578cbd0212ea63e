"""Messages of ReadingService that correct pages <-> the domain's values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from haleganada.v1 import reading_service_pb2 as pb

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import CORRECTED_GLYPHS, JOINED_GLYPHS, Range
from haleganada_server.core.reading.corrections.corrections import (
    Correction,
    CorrectionUndo,
    GlyphJoin,
    GlyphNaming,
    GlyphRemoval,
    GlyphSplit,
)
from haleganada_server.core.reading.corrections.corrector import CorrectedPage
from haleganada_server.core.reading.corrections.evaluation import PageEvaluation
from haleganada_server.core.reading.page import Point

from . import reading


def correction(message: pb.CorrectReadingRequest) -> Correction:
    """Raises InvalidInput."""
    match message.WhichOneof("correction"):
        case "name":
            return GlyphNaming(
                _glyph_ids("name", message.name.glyph_ids, CORRECTED_GLYPHS),
                normalize_label(message.name.text, "name.text"),
            )
        case "split":
            split = message.split
            return GlyphSplit(
                split.glyph_id, _point("split.from", getattr(split, "from")), _point("split.to", split.to)
            )
        case "join":
            text = message.join.text
            return GlyphJoin(
                _glyph_ids("join", message.join.glyph_ids, JOINED_GLYPHS),
                normalize_label(text, "join.text") if text else "",
            )
        case "remove":
            return GlyphRemoval(_glyph_ids("remove", message.remove.glyph_ids, CORRECTED_GLYPHS))
        case "undo":
            return CorrectionUndo(message.undo.revision if message.undo.HasField("revision") else None)
    raise InvalidInput("correction", "is missing; say what to correct: name, split, join, remove or undo")


def corrected_page(value: CorrectedPage) -> pb.CorrectReadingResponse:
    return pb.CorrectReadingResponse(
        page=reading.page(value.page),
        sample_ids=value.sample_ids,
        changed_glyph_ids=value.changed,
        reading=reading.reading(value.reading),
    )


def evaluation(value: PageEvaluation) -> pb.PageEvaluation:
    return pb.PageEvaluation(
        page=value.page,
        glyphs=value.glyphs,
        settled_glyphs=value.settled_glyphs,
        corrections=value.corrections,
        first_errors=value.first_errors,
        unsettled_errors=value.unsettled_errors,
    )


def _glyph_ids(kind: str, values: Sequence[int], allowed: Range[int]) -> tuple[int, ...]:
    field, unique = f"{kind}.glyph_ids", tuple(dict.fromkeys(values))
    if not allowed.includes(len(values)) or len(unique) < allowed.minimum:
        raise InvalidInput(field, f"has {len(unique)} glyphs; send {allowed} in a call")
    return unique


def _point(field: str, message: pb.Point) -> Point:
    if not (math.isfinite(message.x) and math.isfinite(message.y)):
        raise InvalidInput(field, "is not a point of the page; give x and y in pixels")
    return message.x, message.y
