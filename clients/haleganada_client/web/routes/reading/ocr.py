"""The REST routes that read text, with the paths and keys of the system that they come from.

They take multipart/form-data, as any program can send it. Nothing that is sent here is kept: a document goes through a
temporary folder that is gone when the answer is.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, jsonify, request

from haleganada_client.errors import InvalidInput, from_item
from haleganada_client.json_values import to_json_value
from haleganada_client.limits import MAX_STREAMED_DOCUMENT_BYTES
from haleganada_client.reading.types import DocumentReading
from haleganada_client.reading.words import MODES
from haleganada_client.web.errors import describe, status_of
from haleganada_client.web.routes.context import client
from haleganada_client.web.routes.slots import upload_slot

blueprint = Blueprint("ocr", __name__, url_prefix="/api/ocr")
MAX_IMAGES = 256


@blueprint.before_request
def allow_large_bodies() -> None:
    """Let documents be as large as the server takes them."""
    request.max_content_length = MAX_STREAMED_DOCUMENT_BYTES


@blueprint.post("")
def read() -> tuple[Response, int]:
    """Read the document in `image`; `mode` is auto, printed, handwritten, or taught, by what `workspace` knows."""
    return _read_one(_parse_mode())


@blueprint.post("/handwritten")
def read_handwritten() -> tuple[Response, int]:
    """Read the document in `image` as handwriting."""
    return _read_one("handwritten")


@blueprint.post("/batch")
def read_batch() -> Response:
    """Read all documents in `images`, each with a result or an error of its own, in their order."""
    files, mode = request.files.getlist("images"), _parse_mode()
    if not 1 <= len(files) <= MAX_IMAGES:
        raise InvalidInput(f"images: send 1 to {MAX_IMAGES} files", "INVALID_INPUT", "images")
    names = [file.filename or "" for file in files]
    with upload_slot(), TemporaryDirectory(prefix="haleganada-") as folder:
        paths = [Path(folder) / str(number) for number in range(len(files))]
        for file, path in zip(files, paths, strict=True):
            file.save(path)
        done = sorted(
            client().read_many(paths, mode=mode, workspace=_parse_workspace()), key=lambda document: document.index
        )
    results = [{"file_name": names[document.index], **_describe_document(document, mode)} for document in done]
    return jsonify(success=all(result["success"] for result in results), results=results)


def _read_one(mode: str) -> tuple[Response, int]:
    file = request.files.get("image")
    if file is None:
        raise InvalidInput("image: is missing; send a file as multipart/form-data", "INVALID_INPUT", "image")
    with upload_slot(), TemporaryDirectory(prefix="haleganada-") as folder:
        path = Path(folder) / "document"
        file.save(path)
        (document,) = client().read_many([path], mode=mode, workspace=_parse_workspace())
    status = 200 if document.error is None else status_of(from_item(document.error))
    return jsonify(_describe_document(document, mode)), status


def _describe_document(document: DocumentReading, mode: str) -> dict[str, Any]:
    """Return the seed's `text`, and the rest of ours."""
    if document.error is not None:
        return describe(from_item(document.error))
    return {
        "success": True,
        "text": document.text,
        "mode": mode,
        "engines": sorted({line.engine for page in document.pages for line in page.lines if line.engine}),
        "pages": to_json_value(document.pages),
        "page_errors": to_json_value(document.page_errors),
    }


def _parse_mode() -> str:
    mode = request.form.get("mode", "auto")
    if mode not in MODES:
        raise InvalidInput(f"mode: choose one of {', '.join(MODES)}", "INVALID_INPUT", "mode")
    return mode


def _parse_workspace() -> str | None:
    """Return the workspace by which the mode taught reads; None = the page's."""
    return request.form.get("workspace") or None
