"""Look at what was taught, relabel and forget it."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from haleganada_client.json_values import to_json_value
from haleganada_client.limits import DEFAULT_PAGE_SIZE
from haleganada_client.types import Sample
from haleganada_client.web.routes.context import client, workspace
from haleganada_client.web.routes.request_body import get_number, get_text, parse_body

from .blueprint import blueprint


@blueprint.get("/samples")
def list_samples() -> Response:
    """List a page of samples, newest first; ?char=, ?page_size=, ?page_token=."""
    page_size = get_number(request.args, "page_size")
    found = client().list_samples(
        label=request.args.get("char", ""),
        page_size=DEFAULT_PAGE_SIZE if page_size is None else page_size,
        page_token=request.args.get("page_token", ""),
        workspace=workspace(),
    )
    return jsonify(
        success=True,
        samples=[_describe(sample) for sample in found.samples],
        next_page_token=found.next_page_token,
        total_samples=found.total_size,
        revision=found.revision,
    )


@blueprint.get("/samples/<int:sample_id>")
def get_sample(sample_id: int) -> Response:
    """Return one sample."""
    return jsonify(success=True, sample=_describe(client().get_sample(sample_id, workspace=workspace())))


@blueprint.get("/samples/<int:sample_id>.png")
def get_picture(sample_id: int) -> Response:
    """Send the picture of a sample: black ink on a transparent ground."""
    return Response(client().get_sample(sample_id, workspace=workspace()).picture, mimetype="image/png")


@blueprint.post("/samples/<int:sample_id>/relabel")
def relabel_sample(sample_id: int) -> Response:
    """Give a sample another label."""
    sample = client().relabel(sample_id, get_text(parse_body(), "char"), workspace=workspace())
    return jsonify(success=True, sample=_describe(sample))


@blueprint.post("/samples/<int:sample_id>/forget")
def forget_sample(sample_id: int) -> Response:
    """Forget a sample, as if it had never been taught."""
    return jsonify(success=True, revision=client().forget(sample_id, workspace=workspace()))


def _describe(sample: Sample) -> dict[str, Any]:
    value: dict[str, Any] = to_json_value(sample)
    return {"char": value.pop("label"), **value}
