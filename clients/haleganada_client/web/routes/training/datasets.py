"""The JSON routes of data sets: list, show, upload, preview, delete.

A file is the body of a request, its options are the address's query. It goes through a temporary folder, whatever its
size; the answer comes when the server has read it, which may take minutes, so few uploads run at a time.
"""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request

from haleganada_client.errors import InvalidInput
from haleganada_client.json_values import to_json_value
from haleganada_client.limits import MAX_UPLOAD_BYTES
from haleganada_client.web.routes.context import client
from haleganada_client.web.routes.request_body import get_text, parse_body
from haleganada_client.web.routes.slots import upload_slot

blueprint = Blueprint("datasets", __name__, url_prefix="/page/datasets")
_ENDINGS = (".zip", ".npz", ".jsonl")
_LONGEST_NAME = 60  # code points of a temporary file's name, so that its bytes fit every file system


@blueprint.get("")
def datasets() -> Response:
    """List the data sets, newest first, without their labels."""
    return jsonify(to_json_value(client().datasets.list()))


@blueprint.get("/<dataset_id>")
def dataset(dataset_id: str) -> Response:
    """Return one data set with its labels and rejected items."""
    return jsonify(to_json_value(client().datasets.get(dataset_id)))


@blueprint.post("")
def upload() -> Response:
    """Create a data set from the file in the body; the query has ?file_name= and DatasetsClient.upload's options."""
    request.max_content_length = MAX_UPLOAD_BYTES
    name, options = _parse_file_name(), _parse_options()
    with upload_slot(), tempfile.TemporaryDirectory(prefix="haleganada-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            shutil.copyfileobj(request.stream, file)
        return jsonify(to_json_value(client().datasets.upload(path, **options)))


@blueprint.post("/<dataset_id>/delete")
def delete(dataset_id: str) -> Response:
    """Delete a data set; `confirm` repeats its name."""
    found = client().datasets.get(dataset_id)
    if get_text(parse_body(), "confirm") != found.name:
        raise InvalidInput("confirm: repeat the data set's name to delete it", "NOT_CONFIRMED", "confirm")
    client().datasets.delete(found.dataset_id)
    return jsonify(deleted=found.dataset_id)


@blueprint.get("/<dataset_id>/preview")
def preview(dataset_id: str) -> Response:
    """Return what a preset's network receives: a PNG as data URL, a row for each of `labels`; ?preset=, ?seed=."""
    options = {"drawings": _parse_whole("drawings"), "views": _parse_whole("views"), "seed": _parse_whole("seed")}
    seen = client().datasets.preview(dataset_id, request.args.get("preset", ""), **options)
    sheet = "data:image/png;base64," + base64.b64encode(seen.sheet).decode()
    return jsonify(labels=list(seen.labels), input_size_px=seen.input_size_px, sheet=sheet)


def _parse_file_name() -> str:
    """Return the file's name, which tells the format and EMNIST's orientation, made safe for any disk."""
    given = request.args.get("file_name", "")
    if not given.lower().endswith(_ENDINGS):
        raise InvalidInput("file_name: choose a .zip, .npz or .jsonl file", "INVALID_INPUT", "file_name")
    return re.sub(r"[^\w.-]", "_", given)[-_LONGEST_NAME:].lower()


def _parse_options() -> dict[str, Any]:
    """Return the options of DatasetsClient.upload that are in the query."""
    given = {
        name: request.args[name]
        for name in ("name", "split", "orientation", "folder_names", "unknown_folder")
        if request.args.get(name)
    }
    shares = {name: _parse_share(name) for name in ("validation_share", "test_share") if request.args.get(name)}
    return {"name": Path(request.args["file_name"]).stem, **given, **shares, "seed": _parse_whole("seed")}


def _parse_share(name: str) -> float:
    try:
        return float(request.args[name])
    except ValueError:
        raise InvalidInput(f"{name}: must be a number from 0 to 0.5", "INVALID_INPUT", name) from None


def _parse_whole(name: str) -> int:
    """Return a whole number of the query, 0 if it is left out."""
    given = request.args.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,9}", given):
        raise InvalidInput(f"{name}: must be a whole number from 0 on", "INVALID_INPUT", name)
    return int(given)
