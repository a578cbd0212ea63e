"""The JSON routes of models: list, show, presets, the workspace's model, export, delete."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, send_file

from haleganada_client.errors import InvalidInput
from haleganada_client.json_values import to_json_value
from haleganada_client.types import FEW_SHOT, OnlineSettings, WorkspaceInfo
from haleganada_client.web.routes.context import client, workspace
from haleganada_client.web.routes.downloads import fetch
from haleganada_client.web.routes.request_body import get_text, parse_body

from .settings import parse_settings

blueprint = Blueprint("models", __name__, url_prefix="/page/models")


@blueprint.get("")
def models() -> Response:
    """List the models without their labels: few-shot, then the newest first."""
    return jsonify(to_json_value(client().models.list()))


@blueprint.get("/presets")
def presets() -> Response:
    """List the presets that can be trained."""
    return jsonify(to_json_value(client().models.presets()))


@blueprint.get("/active")
def active() -> Response:
    """Return the model that answers in the workspace (model_id, name), null for the workspace's own few-shot head.

    online: how far a network is that learns online, else null; behind: whether it still has something to learn.
    """
    here = client().get_workspace(workspace())
    if here.model in ("", FEW_SHOT) and here.online is None:
        return jsonify(None)
    known = here.online.start if here.online else here.model
    names = {model.model_id: model.name for model in client().models.list()}
    return jsonify(
        model_id=here.model, name=names.get(known, known), online=to_json_value(here.online), behind=_is_behind(here)
    )


def _is_behind(here: WorkspaceInfo) -> bool:
    if here.online is None:
        return False
    knows = here.online.revision
    return here.samples_total > 0 if knows is None else knows < here.revision


@blueprint.get("/<model_id>")
def model(model_id: str) -> Response:
    """Return one model with its labels."""
    return jsonify(to_json_value(client().models.get(model_id)))


@blueprint.post("/<model_id>/activate")
def activate(model_id: str) -> Response:
    """Let a model answer in the workspace from now on; “few-shot” is its own head.

    `online` (OnlineSettings by name): instead, a network that starts as that model or preset and learns online.
    """
    body, models = parse_body(), client().models
    if body.get("online") is None:
        return jsonify(to_json_value(models.activate(model_id, workspace=workspace())))
    how = parse_settings(body, "online", OnlineSettings)
    return jsonify(to_json_value(models.activate(model_id, workspace=workspace(), online=how)))


@blueprint.post("/<model_id>/delete")
def delete(model_id: str) -> Response:
    """Delete a model; `confirm` repeats its name."""
    found = client().models.get(model_id)
    if get_text(parse_body(), "confirm") != found.name:
        raise InvalidInput("confirm: repeat the model's name to delete it", "NOT_CONFIRMED", "confirm")
    client().models.delete(found.model_id)
    return jsonify(deleted=found.model_id)


@blueprint.get("/<model_id>/export")
def export(model_id: str) -> Response:
    """Send a model as ONNX; ?precision= is float32 or int8."""
    precision = request.args.get("precision", "float32")
    file, done = fetch(lambda into: client().models.export(model_id, into, precision))
    return send_file(file, mimetype="application/octet-stream", as_attachment=True, download_name=done.file_name)
