"""The pages themselves, and the JSON behind drawing, teaching and the state of a workspace.

Reading is GET, everything that changes anything is POST.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from haleganada_client.label_text import differ_as_text
from haleganada_client.limits import MAX_LABEL_LENGTH

from .context import client, workspace
from .drawings import body, drawing, number, text
from .plain import plain
from .security import give_token, remember_token

blueprint = Blueprint("page", __name__)
_TOP_K = 5


@blueprint.get("/")
def index() -> Response:
    """The page to draw on."""
    return remember_token(
        make_response(render_template("index.html", csrf=give_token(), max_label_length=MAX_LABEL_LENGTH))
    )


@blueprint.get("/models")
def models() -> Response:
    """The page for those who train models."""
    return remember_token(make_response(render_template("models.html", csrf=give_token())))


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """None: the page names its icon, an SVG."""
    return Response(status=204)


@blueprint.get("/page/token")
def token() -> Response:
    """A token for a page whose browser has forgotten its cookies."""
    return remember_token(jsonify(token=give_token()))


@blueprint.post("/page/predict")
def predict() -> Response:
    """What a drawing is."""
    asked = body()
    top_k = number(asked, "top_k") or _TOP_K
    model = text(asked, "model", "")
    return jsonify(plain(client().predict(drawing(asked), top_k=top_k, model=model, workspace=workspace())))


@blueprint.post("/page/train")
def train() -> Response:
    """Teach a drawing."""
    asked = body()
    taught = client().train(
        drawing(asked),
        text(asked, "label"),
        variant_of=text(asked, "variant_of", ""),
        request_id=text(asked, "request_id", "") or None,
        workspace=workspace(),
    )
    return jsonify(plain(taught))


@blueprint.post("/page/correct")
def correct() -> Response:
    """Teach the drawing of a prediction."""
    asked = body()
    done = client().correct(
        text(asked, "prediction_id"),
        text(asked, "label"),
        variant_of=text(asked, "variant_of", ""),
        request_id=text(asked, "request_id", "") or None,
        workspace=workspace(),
    )
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


@blueprint.get("/page/link")
def link_changes_text() -> Response:
    """Whether ?form= linked to ?canonical= would be read as other text."""
    return jsonify(other_text=differ_as_text(request.args.get("form", ""), request.args.get("canonical", "")))


@blueprint.post("/page/unlink")
def unlink() -> Response:
    """Let a form stand for itself again."""
    return jsonify(plain(client().unlink_variants(text(body(), "form"), workspace=workspace())))


@blueprint.get("/page/stats")
def stats() -> Response:
    """All figures; ?history= points of the past, ?suspects=1 to look for mislabeled drawings."""
    figures = client().stats(
        history_points=request.args.get("history", 0, int),
        find_suspects=request.args.get("suspects") == "1",
        workspace=workspace(),
    )
    return jsonify(plain(figures))


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
