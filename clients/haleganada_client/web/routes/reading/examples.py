"""Examples that a user opens from an empty list of readings."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from haleganada_client.errors import NotFound
from haleganada_client.examples import EXAMPLES, open_example
from haleganada_client.json_values import to_json_value
from haleganada_client.web.routes.context import client

blueprint = Blueprint("examples", __name__)


@blueprint.post("/page/examples/<name>")
def open_(name: str) -> Response:
    """Teach an example's symbols to a workspace of its own, and read its page."""
    if name not in EXAMPLES:
        raise NotFound(f"there is no example “{name[:64]}”; there are {', '.join(EXAMPLES)}")
    return jsonify(to_json_value(open_example(client(), name)))
