"""The page and the JSON behind it. Reading is GET, everything that changes anything is POST."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request

from haleganada_client.types import Prediction, Sample

from .context import client, workspace
from .drawings import body, drawing, number, text
from .plain import plain
from .security import remember_token

blueprint = Blueprint("page", __name__)
_PICTURE_AGE_S = 86_400  # a sample's picture never changes


@blueprint.get("/")
def index() -> Response:
    """The page."""
    return remember_token(make_response(render_template("index.html", csrf=g.csrf)))


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """The icon is an SVG among the static files."""
    return Response(status=204)


@blueprint.post("/page/predict")
def predict() -> Response:
    """What a drawing is."""
    return jsonify(_prediction(client().predict(drawing(body()), top_k=5, workspace=workspace())))


@blueprint.post("/page/train")
def train() -> Response:
    """Teach a drawing."""
    asked = body()
    taught = client().train(
        drawing(asked), text(asked, "label"), variant_of=text(asked, "variant_of", ""),
        request_id=text(asked, "request_id", "") or None, workspace=workspace(),
    )  # fmt: skip
    return jsonify(plain(taught))


@blueprint.post("/page/correct")
def correct() -> Response:
    """Teach the drawing of a prediction."""
    asked = body()
    done = client().correct(
        text(asked, "prediction_id"), text(asked, "label"), variant_of=text(asked, "variant_of", ""),
        request_id=text(asked, "request_id", "") or None, workspace=workspace(),
    )  # fmt: skip
    return jsonify(plain(done))


@blueprint.post("/page/undo")
def undo() -> Response:
    """Take the last change back."""
    return jsonify(plain(client().undo(expected_revision=number(body(), "expected_revision"), workspace=workspace())))


@blueprint.post("/page/link")
def link() -> Response:
    """Let a form stand for a canonical label."""
    asked = body()
    return jsonify(plain(client().link_variants(text(asked, "form"), text(asked, "canonical"), workspace=workspace())))


@blueprint.post("/page/unlink")
def unlink() -> Response:
    """Let a form stand for itself again."""
    return jsonify(plain(client().unlink_variants(text(body(), "form"), workspace=workspace())))


@blueprint.get("/page/samples")
def samples() -> Response:
    """A page of samples, newest first."""
    found = client().list_samples(
        label=request.args.get("label", ""), page_size=60, page_token=request.args.get("page_token", ""),
        workspace=workspace(),
    )  # fmt: skip
    shown = [_sample(sample) for sample in found.samples]
    return jsonify({"samples": shown, "next_page_token": found.next_page_token, "total": found.total_size})


@blueprint.get("/page/samples/<int:sample_id>.png")
def picture(sample_id: int) -> Response:
    """The picture of a sample."""
    response = Response(client().get_sample(sample_id, workspace=workspace()).picture, mimetype="image/png")
    response.headers["Cache-Control"] = f"private, max-age={_PICTURE_AGE_S}"
    return response


@blueprint.post("/page/samples/<int:sample_id>/relabel")
def relabel(sample_id: int) -> Response:
    """Give a sample another label."""
    return jsonify(_sample(client().relabel(sample_id, text(body(), "label"), workspace=workspace())))


@blueprint.post("/page/samples/<int:sample_id>/forget")
def forget(sample_id: int) -> Response:
    """Forget a sample."""
    return jsonify({"revision": client().forget(sample_id, workspace=workspace())})


@blueprint.get("/page/stats")
def stats() -> Response:
    """All figures."""
    suspects = request.args.get("suspects") == "1"
    return jsonify(plain(client().stats(history_points=2000, find_suspects=suspects, workspace=workspace())))


@blueprint.get("/page/snapshots")
def snapshots() -> Response:
    """Kept states, newest first."""
    return jsonify(plain(client().list_snapshots(workspace=workspace())))


@blueprint.post("/page/save")
def save() -> Response:
    """Keep the present state."""
    return jsonify(plain(client().save(text(body(), "name", ""), workspace=workspace())))


@blueprint.post("/page/restore")
def restore() -> Response:
    """Go back to a kept state."""
    return jsonify(plain(client().restore_snapshot(text(body(), "snapshot_id"), workspace=workspace())))


@blueprint.post("/page/reset")
def reset() -> Response:
    """Empty the workspace."""
    return jsonify(plain(client().reset(text(body(), "confirm"), workspace=workspace())))


@blueprint.get("/page/workspaces")
def workspaces() -> Response:
    """All workspaces."""
    return jsonify(plain(client().list_workspaces()))


@blueprint.post("/page/workspaces")
def create_workspace() -> Response:
    """A new workspace."""
    return jsonify(plain(client().create_workspace(text(body(), "name"))))


def _prediction(prediction: Prediction) -> dict[str, Any]:
    return dict(plain(prediction))


def _sample(sample: Sample) -> dict[str, Any]:
    return {key: value for key, value in plain(sample).items() if key != "picture"}
