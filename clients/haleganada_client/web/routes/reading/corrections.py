"""JSON routes that correct pages of readings: for the page, and the same for programs under /api."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify

from haleganada_client.errors import InvalidInput
from haleganada_client.json_values import to_json_value
from haleganada_client.reading.types import ReadingCorrection
from haleganada_client.web.routes.context import client
from haleganada_client.web.routes.request_body import get_list, get_number, get_revision, get_text, parse_body, refuse

blueprint = Blueprint("corrections", __name__)


@blueprint.post("/page/readings/<reading_id>/pages/<int:page>/corrections")
def correct(reading_id: str, page: int) -> Response:
    """Carry out the correction in the body: name, split, join, remove or undo."""
    return jsonify(to_json_value(_carry_out(reading_id, page)))


@blueprint.post("/api/readings/<reading_id>/pages/<int:page>/corrections")
def correct_by_program(reading_id: str, page: int) -> Response:
    """Carry out the correction in the body: name, split, join, remove or undo."""
    return jsonify(success=True, **to_json_value(_carry_out(reading_id, page)))


@blueprint.get("/api/readings/<reading_id>/pages/<int:page>")
def get_page(reading_id: str, page: int) -> Response:
    """Return a page as it reads now."""
    return jsonify(success=True, page=to_json_value(client().readings.page(reading_id, page)))


@dataclass(frozen=True)
class _Place:
    """What a correction is about, besides its own fields."""

    reading_id: str
    page: int
    expected_revision: int | None


def _carry_out(reading_id: str, page: int) -> ReadingCorrection:
    body = parse_body()
    given = [kind for kind in _KINDS if body.get(kind) is not None]
    if len(given) != 1:
        raise InvalidInput(f"send one of {', '.join(_KINDS)}, and only one", "INVALID_INPUT", "")
    (kind,) = given
    if not isinstance(body[kind], dict):
        raise refuse(kind, "must be an object")
    return _KINDS[kind](_Place(reading_id, page, get_revision(body)), body[kind])


def _name(place: _Place, fields: dict[str, Any]) -> ReadingCorrection:
    ids, text = get_list(fields, "glyph_ids"), get_text(fields, "text")
    return client().readings.name(place.reading_id, ids, text, place.page, expected_revision=place.expected_revision)


def _split(place: _Place, fields: dict[str, Any]) -> ReadingCorrection:
    glyph_id = get_number(fields, "glyph_id")
    if glyph_id is None:
        raise refuse("glyph_id", "is missing; say which glyph to split")
    start, end = _get_point(fields, "from"), _get_point(fields, "to")
    return client().readings.split(
        place.reading_id, glyph_id, start, end, place.page, expected_revision=place.expected_revision
    )


def _join(place: _Place, fields: dict[str, Any]) -> ReadingCorrection:
    ids, text = get_list(fields, "glyph_ids"), get_text(fields, "text", "")
    return client().readings.join(place.reading_id, ids, text, place.page, expected_revision=place.expected_revision)


def _remove(place: _Place, fields: dict[str, Any]) -> ReadingCorrection:
    ids = get_list(fields, "glyph_ids")
    return client().readings.remove_glyphs(place.reading_id, ids, place.page, expected_revision=place.expected_revision)


def _undo(place: _Place, fields: dict[str, Any]) -> ReadingCorrection:
    revision = get_number(fields, "revision")
    return client().readings.undo(place.reading_id, place.page, revision, expected_revision=place.expected_revision)


def _get_point(fields: dict[str, Any], name: str) -> tuple[float, float]:
    try:
        x, y = fields[name]
        return float(x), float(y)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise refuse(name, "must be a point of the page: two numbers, x and y in px") from None


_KINDS: dict[str, Callable[[_Place, dict[str, Any]], ReadingCorrection]] = {
    "name": _name,
    "split": _split,
    "join": _join,
    "remove": _remove,
    "undo": _undo,
}
