"""The JSON routes of samples: list, show, picture, relabel, forget."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from haleganada_client.json_values import to_json_value

from .context import client, workspace
from .request_body import get_number, get_revision, get_text, parse_body

blueprint = Blueprint("samples", __name__, url_prefix="/page/samples")
_PAGE_SIZE = 60
_PICTURE_AGE_S = 86_400  # no number ever names another drawing


@blueprint.get("")
def samples() -> Response:
    """List a page of samples, newest first; ?label=, ?page_size=, ?page_token=."""
    page_size = get_number(request.args, "page_size")
    found = client().list_samples(
        label=request.args.get("label", ""),
        page_size=_PAGE_SIZE if page_size is None else page_size,
        page_token=request.args.get("page_token", ""),
        workspace=workspace(),
    )
    return jsonify(to_json_value(found))


@blueprint.get("/<int:sample_id>")
def sample(sample_id: int) -> Response:
    """Return one sample."""
    return jsonify(to_json_value(client().get_sample(sample_id, workspace=workspace())))


@blueprint.get("/<int:sample_id>.png")
def picture(sample_id: int) -> Response:
    """Send the picture of a sample: black ink on a transparent ground."""
    response = Response(client().get_sample(sample_id, workspace=workspace()).picture, mimetype="image/png")
    response.headers["Cache-Control"] = f"private, max-age={_PICTURE_AGE_S}"
    return response


@blueprint.post("/<int:sample_id>/relabel")
def relabel(sample_id: int) -> Response:
    """Give a sample another label."""
    body = parse_body()
    label, expected = get_text(body, "label"), get_revision(body)
    return jsonify(to_json_value(client().relabel(sample_id, label, expected_revision=expected, workspace=workspace())))


@blueprint.post("/<int:sample_id>/forget")
def forget(sample_id: int) -> Response:
    """Forget a sample."""
    expected = get_revision(parse_body())
    return jsonify(revision=client().forget(sample_id, expected_revision=expected, workspace=workspace()))
