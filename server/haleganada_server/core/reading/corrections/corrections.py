"""What people say about the glyphs of a page, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.page import Point

JOURNAL_FORMAT = 1
"""What carrying out an entry does to a page (taught/edits). A change after which the same entry gives other groups,
rasters or ids needs a new number, and has to replay entries of the old one as before.
"""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GlyphNaming:
    """text: a normalized label."""

    glyph_ids: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class GlyphSplit:
    """start, end: of a line that divides the glyph, in px of the page."""

    glyph_id: int
    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class GlyphJoin:
    """text: a normalized label; "" = not said."""

    glyph_ids: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class GlyphRemoval:
    glyph_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CorrectionUndo:
    """revision: what the page becomes again; None = before the last correction, which no journal has."""

    revision: int | None


Correction = GlyphNaming | GlyphSplit | GlyphJoin | GlyphRemoval | CorrectionUndo


def glyphs_of(correction: Correction) -> tuple[int, ...]:
    """Return the glyphs that a correction is about."""
    match correction:
        case GlyphSplit(glyph_id):
            return (glyph_id,)
        case CorrectionUndo():
            return ()
        case _:
            return correction.glyph_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A correction as it was carried out. revision: of the page after it, from 1. taught: the sample of each glyph that
    it taught. forgotten: the glyphs whose samples it took back. next_id: above the ids of all glyphs that the page
    has, or has had.
    """

    revision: int
    time_us: int
    correction: Correction
    taught: Mapping[int, int]
    forgotten: tuple[int, ...]
    next_id: int


def entry_to_json(entry: JournalEntry) -> Json:
    return {
        "format": JOURNAL_FORMAT,
        "revision": entry.revision,
        "time_us": entry.time_us,
        **_correction_to_json(entry.correction),
        "taught": [[glyph_id, sample_id] for glyph_id, sample_id in entry.taught.items()],
        "forgotten": list(entry.forgotten),
        "next_id": entry.next_id,
    }


def entry_from_json(fields: Json) -> JournalEntry:
    """Raises KeyError, TypeError or ValueError for what entry_to_json does not write, and Precondition for an entry of
    a format that came later.
    """
    if int(fields.get("format", 1)) > JOURNAL_FORMAT:  # the first entries had no number
        raise Precondition(
            "this page was corrected by a later version of Haleganada, which may do it in another way; use that "
            "version",
            Reason.READING_NOT_CORRECTABLE,
        )
    return JournalEntry(
        revision=int(fields["revision"]),
        time_us=int(fields["time_us"]),
        correction=_correction_from_json(fields),
        taught={int(glyph_id): int(sample_id) for glyph_id, sample_id in fields["taught"]},
        forgotten=_to_ids(fields["forgotten"]),
        next_id=int(fields["next_id"]),
    )


def _correction_to_json(correction: Correction) -> Json:
    match correction:
        case GlyphNaming(glyph_ids, text):
            return {"name": {"glyph_ids": list(glyph_ids), "text": text}}
        case GlyphSplit(glyph_id, start, end):
            return {"split": {"glyph_id": glyph_id, "from": list(start), "to": list(end)}}
        case GlyphJoin(glyph_ids, text):
            return {"join": {"glyph_ids": list(glyph_ids), "text": text}}
        case GlyphRemoval(glyph_ids):
            return {"remove": {"glyph_ids": list(glyph_ids)}}
        case CorrectionUndo(revision):
            return {"undo": {"revision": revision}}


def _correction_from_json(fields: Json) -> Correction:
    if "name" in fields:
        return GlyphNaming(_to_ids(fields["name"]["glyph_ids"]), str(fields["name"]["text"]))
    if "split" in fields:
        split = fields["split"]
        return GlyphSplit(int(split["glyph_id"]), _to_point(split["from"]), _to_point(split["to"]))
    if "join" in fields:
        return GlyphJoin(_to_ids(fields["join"]["glyph_ids"]), str(fields["join"]["text"]))
    if "remove" in fields:
        return GlyphRemoval(_to_ids(fields["remove"]["glyph_ids"]))
    return CorrectionUndo(int(fields["undo"]["revision"]))


def _to_ids(values: list[Any]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _to_point(values: list[Any]) -> Point:
    x, y = values
    return float(x), float(y)
