"""The JSON routes of jobs: start, list, show, cancel, delete, download files.

A page that follows a job asks for it again and again; nothing here waits for a job, so none holds a thread.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, send_file

from haleganada_client.errors import InvalidInput
from haleganada_client.json_values import to_json_value
from haleganada_client.training.jobs import TrainingSettings
from haleganada_client.web.routes.context import client
from haleganada_client.web.routes.downloads import fetch
from haleganada_client.web.routes.request_body import get_text, parse_body

from .settings import parse_settings

blueprint = Blueprint("jobs", __name__, url_prefix="/page/jobs")
_LISTED = 100


@blueprint.get("")
def jobs() -> Response:
    """List the newest jobs, without epochs, files and results; ?limit= is how many at most."""
    limit = request.args.get("limit", _LISTED, int)
    return jsonify(to_json_value(client().jobs.list(max(1, min(limit, _LISTED)))))


@blueprint.get("/<job_id>")
def job(job_id: str) -> Response:
    """Return one job as it is now."""
    return jsonify(to_json_value(client().jobs.get(job_id)))


@blueprint.post("/training")
def start_training() -> Response:
    """Train a model: preset, dataset, name, settings (TrainingSettings by name; what is left out or null has the
    preset's default), from_model (a model to start from; the preset may be left out then).
    """
    body = parse_body()
    start = get_text(body, "from_model", "")
    job = client().jobs.start_training(
        get_text(body, "preset", "") if start else get_text(body, "preset"),
        get_text(body, "dataset"),
        name=get_text(body, "name", ""),
        settings=parse_settings(body, "settings", TrainingSettings),
        from_model=start,
    )
    return jsonify(to_json_value(job))


@blueprint.post("/evaluation")
def start_evaluation() -> Response:
    """Evaluate models: models (a list of ids), dataset, quick."""
    body = parse_body()
    models, quick = body.get("models"), body.get("quick", False)
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise InvalidInput("models: must be a list of ids", "INVALID_INPUT", "models")
    if not isinstance(quick, bool):
        raise InvalidInput("quick: must be true or false", "INVALID_INPUT", "quick")
    return jsonify(to_json_value(client().jobs.start_evaluation(models, get_text(body, "dataset"), quick=quick)))


@blueprint.post("/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Cancel a job."""
    return jsonify(to_json_value(client().jobs.cancel(job_id)))


@blueprint.post("/<job_id>/delete")
def delete(job_id: str) -> Response:
    """Delete a job that has ended; its model stays."""
    client().jobs.delete(job_id)
    return jsonify(deleted=job_id)


@blueprint.get("/<job_id>/files/<name>")
def file(job_id: str, name: str) -> Response:
    """Send one of a job's files. Browsers show pictures and save everything else; they never open it as a page.

    Not even confusion_matrix.html, which is full of people's labels and would run here as a part of this site.
    """
    content, _ = fetch(lambda into: client().jobs.file(job_id, name, into))
    picture = name.lower().endswith(".png")
    kind = "image/png" if picture else "application/octet-stream"
    return send_file(content, mimetype=kind, as_attachment=not picture, download_name=name)
