"""The JSON behind jobs: start, look, cancel, delete, fetch files.

A page that follows a job asks for it again and again; nothing here waits for a job, so none holds a thread.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, send_file

from haleganada_client.errors import InvalidInput
from haleganada_client.jobs import TrainingSettings

from .context import client
from .downloads import fetched
from .drawings import body, text
from .plain import plain
from .settings import settings

blueprint = Blueprint("jobs", __name__, url_prefix="/page/jobs")
_LISTED = 100


@blueprint.get("")
def jobs() -> Response:
    """The newest jobs, without epochs, files and results; ?limit=."""
    limit = request.args.get("limit", _LISTED, int)
    return jsonify(plain(client().jobs.list(max(1, min(limit, _LISTED)))))


@blueprint.get("/<job_id>")
def job(job_id: str) -> Response:
    """One job as it is now."""
    return jsonify(plain(client().jobs.get(job_id)))


@blueprint.post("/training")
def start_training() -> Response:
    """Train a model: preset, dataset, name, settings (TrainingSettings by name; what is left out or null has the
    preset's default).
    """
    asked = body()
    job = client().jobs.start_training(
        text(asked, "preset"),
        text(asked, "dataset"),
        name=text(asked, "name", ""),
        settings=settings(asked, "settings", TrainingSettings),
    )
    return jsonify(plain(job))


@blueprint.post("/evaluation")
def start_evaluation() -> Response:
    """Measure models: models (a list of ids), dataset, quick."""
    asked = body()
    models, quick = asked.get("models"), asked.get("quick", False)
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise InvalidInput("models: must be a list of ids", "INVALID_INPUT", "models")
    if not isinstance(quick, bool):
        raise InvalidInput("quick: must be true or false", "INVALID_INPUT", "quick")
    return jsonify(plain(client().jobs.start_evaluation(models, text(asked, "dataset"), quick=quick)))


@blueprint.post("/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Ask a job to end."""
    return jsonify(plain(client().jobs.cancel(job_id)))


@blueprint.post("/<job_id>/delete")
def delete(job_id: str) -> Response:
    """Delete a job that is over; its model stays."""
    client().jobs.delete(job_id)
    return jsonify(deleted=job_id)


@blueprint.get("/<job_id>/files/<name>")
def file(job_id: str, name: str) -> Response:
    """One of a job's files. Pictures are shown, everything else is saved: a page of its own it never is, not even
    confusion_matrix.html, which is full of people's labels and would run here as a part of this site.
    """
    content, _ = fetched(lambda into: client().jobs.file(job_id, name, into))
    picture = name.lower().endswith(".png")
    kind = "image/png" if picture else "application/octet-stream"
    return send_file(content, mimetype=kind, as_attachment=not picture, download_name=name)
