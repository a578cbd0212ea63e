"""The pages, and the JSON routes for drawing, teaching and the workspace.

GET reads; POST changes something.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from haleganada_client.json_values import to_json_value
from haleganada_client.label_text import differ_as_text
from haleganada_client.limits import MAX_LABEL_LENGTH
from haleganada_client.web.security import give_token, remember_token

from .context import client, workspace
from .request_body import get_list, get_number, get_revision, get_text, parse_body, parse_drawing, refuse

blueprint = Blueprint("page", __name__)
_TOP_K = 5


@blueprint.get("/")
def index() -> Response:
    """Return the page to draw on."""
    return remember_token(
        make_response(render_template("index.html", csrf=give_token(), max_label_length=MAX_LABEL_LENGTH))
    )


@blueprint.get("/models")
def models() -> Response:
    """Return the page of models, data sets and jobs."""
    return remember_token(make_response(render_template("models.html", csrf=give_token())))


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Return nothing: the page names its icon, an SVG."""
    return Response(status=204)


@blueprint.get("/page/token")
def token() -> Response:
    """Return a new token, for a page whose browser has forgotten its cookies."""
    return remember_token(jsonify(token=give_token()))


@blueprint.post("/page/predict")
def predict() -> Response:
    """Recognize a drawing. `model` answers, `models` answer together, else the workspace's model does. `script_labels`:
    how many letters the script has.
    """
    body = parse_body()
    top_k = get_number(body, "top_k") or _TOP_K
    several = get_list(body, "models") if body.get("models") else []
    if not all(isinstance(name, str) for name in several):
        raise refuse("models", "must be a list of ids")
    model = several or get_text(body, "model", "")
    found = client().predict(
        parse_drawing(body),
        top_k=top_k,
        model=model,
        script_labels=get_number(body, "script_labels") or 0,
        workspace=workspace(),
    )
    return jsonify(to_json_value(found))


@blueprint.post("/page/train")
def train() -> Response:
    """Teach a drawing."""
    body = parse_body()
    taught = client().train(
        parse_drawing(body),
        get_text(body, "label"),
        variant_of=get_text(body, "variant_of", ""),
        request_id=get_text(body, "request_id", "") or None,
        workspace=workspace(),
    )
    return jsonify(to_json_value(taught))


@blueprint.post("/page/correct")
def correct() -> Response:
    """Correct a prediction: teach its drawing with the right label."""
    body = parse_body()
    done = client().correct(
        get_text(body, "prediction_id"),
        get_text(body, "label"),
        variant_of=get_text(body, "variant_of", ""),
        request_id=get_text(body, "request_id", "") or None,
        workspace=workspace(),
    )
    return jsonify(to_json_value(done))


@blueprint.post("/page/undo")
def undo() -> Response:
    """Undo the change that made `expected_revision`, and no other: the button that asks for it stands for that one."""
    revision = get_revision(parse_body())
    if revision is None:
        raise refuse("expected_revision", "is missing; send the revision that the change made")
    return jsonify(to_json_value(client().undo(expected_revision=revision, workspace=workspace())))


@blueprint.post("/page/link")
def link() -> Response:
    """Link a form to the canonical label that it stands for."""
    body = parse_body()
    form, canonical = get_text(body, "form"), get_text(body, "canonical")
    linked = client().link_variants(form, canonical, expected_revision=get_revision(body), workspace=workspace())
    return jsonify(to_json_value(linked))


@blueprint.get("/page/link")
def link_changes_text() -> Response:
    """Return whether ?form= would count as other text if it were linked to ?canonical=."""
    return jsonify(other_text=differ_as_text(request.args.get("form", ""), request.args.get("canonical", "")))


@blueprint.post("/page/unlink")
def unlink() -> Response:
    """Unlink a form, so that it stands for itself again."""
    body = parse_body()
    form, expected = get_text(body, "form"), get_revision(body)
    return jsonify(to_json_value(client().unlink_variants(form, expected_revision=expected, workspace=workspace())))


@blueprint.get("/page/stats")
def stats() -> Response:
    """Return the statistics; ?history= is how many past points, ?suspects=1 looks for mislabeled drawings."""
    found = client().stats(
        history_points=request.args.get("history", 0, int),
        find_suspects=request.args.get("suspects") == "1",
        workspace=workspace(),
    )
    return jsonify(to_json_value(found))


@blueprint.get("/page/snapshots")
def snapshots() -> Response:
    """List the snapshots, newest first."""
    return jsonify(to_json_value(client().list_snapshots(workspace=workspace())))


@blueprint.post("/page/snapshots/delete")
def delete_snapshot() -> Response:
    """Delete a snapshot for good."""
    body = parse_body()
    return jsonify(
        to_json_value(
            client().delete_snapshot(
                get_text(body, "snapshot_id"), get_text(body, "confirm", ""), workspace=workspace()
            )
        )
    )


@blueprint.post("/page/save")
def save() -> Response:
    """Save a snapshot."""
    return jsonify(to_json_value(client().save(get_text(parse_body(), "name", ""), workspace=workspace())))


@blueprint.post("/page/restore")
def restore() -> Response:
    """Restore a snapshot."""
    body = parse_body()
    snapshot_id, expected = get_text(body, "snapshot_id"), get_revision(body)
    restored = client().restore_snapshot(snapshot_id, expected_revision=expected, workspace=workspace())
    return jsonify(to_json_value(restored))


@blueprint.post("/page/reset")
def reset() -> Response:
    """Empty the workspace."""
    body = parse_body()
    confirm, expected = get_text(body, "confirm"), get_revision(body)
    return jsonify(to_json_value(client().reset(confirm, expected_revision=expected, workspace=workspace())))


@blueprint.get("/page/workspaces")
def workspaces() -> Response:
    """List the workspaces."""
    return jsonify(to_json_value(client().list_workspaces()))


@blueprint.post("/page/workspaces")
def create_workspace() -> Response:
    """Create a workspace."""
    return jsonify(to_json_value(client().create_workspace(get_text(parse_body(), "name"))))
