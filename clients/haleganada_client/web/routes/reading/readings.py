"""The page that reads, and its JSON routes: read a document, and list, show, download and delete what was read.

A document is the body of a request, its options are the address's query. The answer to it is a stream of lines, each a
JSON object: one for each page, last {"done": ...}, or {"error": ...} as other routes answer it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request, send_file

from haleganada_client.errors import HaleganadaError, InvalidInput, from_item
from haleganada_client.json_values import to_json_value
from haleganada_client.limits import MAX_STREAMED_DOCUMENT_BYTES
from haleganada_client.reading.types import DocumentPage, DocumentReading
from haleganada_client.reading.words import READING_FORMATS
from haleganada_client.web.disconnection import client_for_this_request
from haleganada_client.web.errors import describe
from haleganada_client.web.routes.context import client
from haleganada_client.web.routes.downloads import fetch
from haleganada_client.web.routes.slots import upload_slot
from haleganada_client.web.security import give_token, remember_token

blueprint = Blueprint("readings", __name__)
_LISTED = 100
_LONGEST_NAME = 60  # code points, so that its bytes fit every file system


@blueprint.get("/read")
def index() -> Response:
    """Return the page that reads."""
    return remember_token(make_response(render_template("read.html", csrf=give_token())))


@blueprint.get("/page/readings/engines")
def engines() -> Response:
    """List the server's engines."""
    return jsonify(to_json_value(client().engines()))


@blueprint.get("/page/readings")
def readings() -> Response:
    """List the newest readings that are kept."""
    return jsonify(to_json_value(client().readings.list(limit=_LISTED)))


@blueprint.post("/page/readings")
def read() -> Response:
    """Read the document in the body and keep the reading; the query has ?file_name=, mode, engine, languages, workspace
    and reading_order.
    """
    request.max_content_length = MAX_STREAMED_DOCUMENT_BYTES
    options = _parse_options()
    with ExitStack() as resources:
        resources.enter_context(upload_slot())
        path = Path(resources.enter_context(TemporaryDirectory(prefix="haleganada-"))) / _parse_file_name()
        with path.open("wb") as file:
            shutil.copyfileobj(request.stream, file)
        own = resources.enter_context(client_for_this_request(client()))
        parts = resources.enter_context(closing(own.read_pages([path], keep=True, **options)))
        in_use = resources.pop_all()
    response = Response(_report(parts), mimetype="application/x-ndjson")
    response.call_on_close(in_use.close)
    return response


@blueprint.get("/page/readings/<reading_id>")
def reading(reading_id: str) -> Response:
    """Return a reading without its pages."""
    return jsonify(to_json_value(client().readings.get(reading_id)))


@blueprint.get("/page/readings/<reading_id>/pages/<int:page>")
def page(reading_id: str, page: int) -> Response:
    """Return a page of a reading."""
    return jsonify(to_json_value(client().readings.page(reading_id, page)))


@blueprint.get("/page/readings/<reading_id>/pages/<int:page>/image")
def image(reading_id: str, page: int) -> Response:
    """Return the picture of a page, a JPEG."""
    return Response(client().readings.image(reading_id, page).image, mimetype="image/jpeg")


@blueprint.get("/page/readings/<reading_id>/export/<form>")
def export(reading_id: str, form: str) -> Response:
    """Send a reading as a file."""
    if form not in READING_FORMATS:
        raise InvalidInput(f"format: choose one of {', '.join(READING_FORMATS)}", "INVALID_INPUT", "format")
    file, done = fetch(lambda target: client().readings.export(reading_id, form, target))
    return send_file(file, mimetype=done.content_type, as_attachment=True, download_name=done.file_name)


@blueprint.post("/page/readings/<reading_id>/delete")
def delete(reading_id: str) -> Response:
    """Delete a reading and its document."""
    client().readings.delete(reading_id)
    return jsonify(deleted=reading_id)


def _report(parts: Iterator[DocumentPage | DocumentReading]) -> Iterator[str]:
    """Yield the lines of the answer to a document."""
    pages_done = 0
    try:
        for part in parts:
            if isinstance(part, DocumentPage):
                pages_done += 1
                yield _make_line({"pages_done": pages_done, "pages_total": part.pages_total})
            elif part.error is not None:
                yield _make_line(describe(from_item(part.error)))
            else:
                yield _make_line({"done": {"reading": part.reading, "pages_failed": part.pages_failed}})
    except HaleganadaError as error:
        yield _make_line(describe(error))


def _make_line(value: dict[str, Any]) -> str:
    return json.dumps(to_json_value(value), ensure_ascii=False) + "\n"


def _parse_file_name() -> str:
    """Return the document's name for the list of readings, made safe for any disk."""
    name = request.args.get("file_name", "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter if letter.isprintable() else "_" for letter in name)
    return printable[-_LONGEST_NAME:].lstrip(".") or "document"


def _parse_options() -> dict[str, Any]:
    """Return the options of HaleganadaClient.read_many that are in the query."""
    names = ("mode", "engine", "workspace", "reading_order")
    given = {name: request.args[name] for name in names if request.args.get(name)}
    return {**given, "languages": request.args.get("languages", "").split()}
