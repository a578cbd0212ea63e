"""What these routes share: their blueprint, and their names for the fields of the contract."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from haleganada_client.errors import InvalidInput, from_item
from haleganada_client.types import ItemError
from haleganada_client.web.errors import describe

blueprint = Blueprint("rest", __name__)
_FIELDS = {"label": "char", "form": "char2", "canonical": "char1"}
"""The fields that our contract and these routes name differently."""


@blueprint.errorhandler(InvalidInput)
def _invalid(error: InvalidInput) -> tuple[Response, int]:
    """Answer that a field is invalid, under the name that it has here."""
    return jsonify(describe_invalid(error)), 400


def describe_invalid(error: InvalidInput) -> dict[str, Any]:
    """Return the body of an answer to a caller's mistake."""
    is_drawing = error.field == "drawing" or error.field.startswith("glyph")
    field = "image" if is_drawing else _FIELDS.get(error.field, error.field)
    message = error.message.replace(f"{error.field}: ", f"{field}: ", 1) if field else error.message
    return {**describe(error), "error": message, "field": field}


def describe_item(error: ItemError) -> dict[str, Any]:
    """Return what is said about one item of a batch that was refused."""
    raised = from_item(error)
    return describe_invalid(raised) if isinstance(raised, InvalidInput) else describe(raised)
