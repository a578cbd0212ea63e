"""The JSON behind data sets: upload, look, preview, delete.

A file is the body of a request, its options are the address's query. It goes through a temporary folder, whatever its
size; the answer comes when the server has read it, which may take minutes, so few uploads run at a time.
"""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from haleganada_client.errors import Exhausted, InvalidInput
from haleganada_client.limits import MAX_UPLOAD_BYTES

from .context import client
from .drawings import body, text
from .plain import plain

blueprint = Blueprint("datasets", __name__, url_prefix="/page/datasets")
UPLOADS_AT_ONCE = 4  # each holds one of the page's threads until the server has read the file
_ENDINGS = (".zip", ".npz", ".jsonl")
_LONGEST_NAME = 60  # code points of a temporary file's name, so that its bytes fit every file system


@blueprint.get("")
def datasets() -> Response:
    """All data sets, the newest first, without their labels."""
    return jsonify(plain(client().datasets.list()))


@blueprint.get("/<dataset_id>")
def dataset(dataset_id: str) -> Response:
    """One data set with its labels and what was refused."""
    return jsonify(plain(client().datasets.get(dataset_id)))


@blueprint.post("")
def upload() -> Response:
    """Make a data set of the file that is the request's body; ?file_name= and the options of DatasetsClient.upload."""
    request.max_content_length = MAX_UPLOAD_BYTES
    name, options = _file_name(), _options()
    with _place(), tempfile.TemporaryDirectory(prefix="haleganada-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            shutil.copyfileobj(request.stream, file)
        return jsonify(plain(client().datasets.upload(path, **options)))


@blueprint.post("/<dataset_id>/delete")
def delete(dataset_id: str) -> Response:
    """Delete a data set; `confirm` repeats its name."""
    found = client().datasets.get(dataset_id)
    if text(body(), "confirm") != found.name:
        raise InvalidInput("confirm: repeat the data set's name to delete it", "NOT_CONFIRMED", "confirm")
    client().datasets.delete(found.dataset_id)
    return jsonify(deleted=found.dataset_id)


@blueprint.get("/<dataset_id>/preview")
def preview(dataset_id: str) -> Response:
    """What a preset's network receives: a PNG as data URL, a row for each of `labels`; ?preset=, ?seed=."""
    asked = {"drawings": _whole("drawings"), "views": _whole("views"), "seed": _whole("seed")}
    seen = client().datasets.preview(dataset_id, request.args.get("preset", ""), **asked)
    sheet = "data:image/png;base64," + base64.b64encode(seen.sheet).decode()
    return jsonify(labels=list(seen.labels), input_size_px=seen.input_size_px, sheet=sheet)


def upload_places() -> threading.BoundedSemaphore:
    """One for an application, kept in its extensions."""
    return threading.BoundedSemaphore(UPLOADS_AT_ONCE)


@contextmanager
def _place() -> Iterator[None]:
    places: threading.BoundedSemaphore = current_app.extensions["haleganada_uploads"]
    if not places.acquire(blocking=False):
        raise Exhausted("other uploads are under way; try again when they are done", "TOO_MANY_UPLOADS")
    try:
        yield
    finally:
        places.release()


def _file_name() -> str:
    """As the browser has it, since it tells the format and EMNIST's orientation, but harmless on any disk."""
    given = request.args.get("file_name", "")
    if not given.lower().endswith(_ENDINGS):
        raise InvalidInput("file_name: choose a .zip, .npz or .jsonl file", "INVALID_INPUT", "file_name")
    return re.sub(r"[^\w.-]", "_", given)[-_LONGEST_NAME:].lower()


def _options() -> dict[str, Any]:
    """What of DatasetsClient.upload's options is in the query."""
    given = {name: request.args[name] for name in ("name", "split", "orientation") if request.args.get(name)}
    shares = {name: _share(name) for name in ("validation_share", "test_share") if request.args.get(name)}
    return {"name": Path(request.args["file_name"]).stem, **given, **shares, "seed": _whole("seed")}


def _share(name: str) -> float:
    try:
        return float(request.args[name])
    except ValueError:
        raise InvalidInput(f"{name}: must be a number from 0 to 0.5", "INVALID_INPUT", name) from None


def _whole(name: str) -> int:
    """A whole number of the query, 0 if it is left out."""
    given = request.args.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,9}", given):
        raise InvalidInput(f"{name}: must be a whole number from 0 on", "INVALID_INPUT", name)
    return int(given)
