"""The JSON behind models: what there is, what can be trained, what a workspace answers with; export, deletion."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, send_file

from haleganada_client.errors import InvalidInput
from haleganada_client.types import FEW_SHOT, OnlineSettings, WorkspaceInfo

from .context import client, workspace
from .downloads import fetched
from .drawings import body, text
from .plain import plain
from .settings import settings

blueprint = Blueprint("models", __name__, url_prefix="/page/models")


@blueprint.get("")
def models() -> Response:
    """All models, the newest first, behind few-shot; without their labels."""
    return jsonify(plain(client().models.list()))


@blueprint.get("/presets")
def presets() -> Response:
    """What can be trained."""
    return jsonify(plain(client().models.presets()))


@blueprint.get("/active")
def active() -> Response:
    """What the workspace answers with: model_id and name; where that learns along, how far it is (online) and whether
    it has not yet heard of or learned something (behind). null if it is the workspace's own few-shot head.
    """
    here = client().get_workspace(workspace())
    if here.model in ("", FEW_SHOT) and here.online is None:
        return jsonify(None)
    known = here.online.start if here.online else here.model
    names = {model.model_id: model.name for model in client().models.list()}
    return jsonify(
        model_id=here.model, name=names.get(known, known), online=plain(here.online), behind=_is_behind(here)
    )


def _is_behind(here: WorkspaceInfo) -> bool:
    if here.online is None:
        return False
    knows = here.online.revision
    return here.samples_total > 0 if knows is None else knows < here.revision


@blueprint.get("/<model_id>")
def model(model_id: str) -> Response:
    """One model with its labels."""
    return jsonify(plain(client().models.get(model_id)))


@blueprint.post("/<model_id>/activate")
def activate(model_id: str) -> Response:
    """Let the workspace answer with a model from now on; few-shot goes back to its own head.

    `online`, OnlineSettings by name: with a network of its own instead, which starts as that model or preset and learns
    along.
    """
    asked, models = body(), client().models
    if asked.get("online") is None:
        return jsonify(plain(models.activate(model_id, workspace=workspace())))
    how = settings(asked, "online", OnlineSettings)
    return jsonify(plain(models.activate(model_id, workspace=workspace(), online=how)))


@blueprint.post("/<model_id>/delete")
def delete(model_id: str) -> Response:
    """Delete a model; `confirm` repeats its name."""
    found = client().models.get(model_id)
    if text(body(), "confirm") != found.name:
        raise InvalidInput("confirm: repeat the model's name to delete it", "NOT_CONFIRMED", "confirm")
    client().models.delete(found.model_id)
    return jsonify(deleted=found.model_id)


@blueprint.get("/<model_id>/export")
def export(model_id: str) -> Response:
    """A model as ONNX; ?precision= float32 or int8."""
    precision = request.args.get("precision", "float32")
    file, done = fetched(lambda into: client().models.export(model_id, into, precision))
    return send_file(file, mimetype="application/octet-stream", as_attachment=True, download_name=done.file_name)
