"""Downloads and uploads of whole workspaces, by way of temporary files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from flask import Blueprint, Response, abort, jsonify, request, send_file

from haleganada_client.json_values import to_json_value
from haleganada_client.limits import MAX_IMPORT_BYTES
from haleganada_client.wire.transfers import FORMATS

from .context import client, workspace

blueprint = Blueprint("transfers", __name__)


@blueprint.get("/page/export")
def export() -> Response:
    """Send the workspace as a file; ?format= is archive, seed, jsonl or folder."""
    form = request.args.get("format", "archive")
    if form not in FORMATS or not form:
        abort(400, "format must be archive, seed, jsonl or folder")
    folder = Path(tempfile.mkdtemp(prefix="haleganada-"))
    try:
        done = client().export(folder / "export", form, workspace=workspace())
        file = (folder / "export").open("rb")  # stays readable after its name is gone
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return send_file(file, mimetype=done.content_type, as_attachment=True, download_name=done.file_name)


@blueprint.post("/page/import")
def import_() -> Response:
    """Teach everything in the request's body, a file; ?folder_names= says how to read folders named by numbers."""
    request.max_content_length = MAX_IMPORT_BYTES
    with tempfile.NamedTemporaryFile(prefix="haleganada-") as file:
        shutil.copyfileobj(request.stream, file)
        file.flush()
        rule = request.args.get("folder_names", "auto")
        found = client().import_file(Path(file.name), folder_names=rule, workspace=workspace())
        return jsonify(to_json_value(found))
