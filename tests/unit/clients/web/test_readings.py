"""The JSON routes of the page that reads."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from haleganada_client.web.connections import ConnectionLimits, make_server
from haleganada_client.web.routes.slots import UPLOADS_AT_ONCE

from tests.conftest import RunningServer
from tests.support.network.web_server import run_in_thread
from tests.support.tiny_reader import HEIGHT, WIDTH, tiny
from tests.support.waiting import wait_until


def read(web: FlaskClient, document: bytes, **query: str) -> list[dict[str, Any]]:
    """Read a document; return the lines of the answer."""
    answer = web.post("/page/readings", data=document, content_type="application/octet-stream", query_string=query)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def keep(web: FlaskClient, *pages: str, name: str = "letter.pdf") -> dict[str, Any]:
    """Read a document; return its reading."""
    reading: dict[str, Any] = read(web, tiny(*pages), file_name=name)[-1]["done"]["reading"]
    return reading


def test_each_page_is_reported_and_then_the_reading(web: FlaskClient) -> None:
    *pages, last = read(web, tiny("one", "two", "three"), file_name="letter.pdf", mode="printed")
    assert pages == [{"pages_done": done, "pages_total": 3} for done in (1, 2, 3)]
    assert last["done"]["pages_failed"] == 0
    assert last["done"]["reading"]["file_name"] == "letter.pdf"


def test_a_page_that_cannot_be_read_leaves_the_others(web: FlaskClient) -> None:
    last = read(web, tiny("one", "!fault", "three"))[-1]
    assert last["done"]["pages_failed"] == 1
    assert last["done"]["reading"]["pages"] == [1, 3]


def test_a_document_that_cannot_be_read_is_an_error(web: FlaskClient) -> None:
    (only,) = read(web, b"no document", file_name="letter.pdf")
    assert (only["success"], only["reason"]) == (False, "DOCUMENT_UNREADABLE")


def test_names_are_made_safe(web: FlaskClient) -> None:
    for given, kept in (("../../etc/passwd", "passwd"), ("C:\\scans\\ಪುಟ.png", "ಪುಟ.png"), ("a\x00b", "a_b")):
        assert keep(web, "text", name=given)["file_name"] == kept


def test_a_reading_is_listed_shown_and_deleted(web: FlaskClient) -> None:
    reading = keep(web, "ಹಳೆ ಕನ್ನಡ", "second")
    address = f"/page/readings/{reading['reading_id']}"
    assert web.get("/page/readings").get_json()[0] == reading
    assert web.get(address).get_json() == reading
    page = web.get(f"{address}/pages/1").get_json()
    assert (page["text"], page["width"], page["height"]) == ("ಹಳೆ ಕನ್ನಡ\n", WIDTH, HEIGHT)
    assert page["blocks"][0]["lines"][0]["words"][0]["polygon"][0] == [0, 2]
    assert web.get(f"{address}/pages/3").status_code == 404
    assert web.post(f"{address}/delete", json={}).get_json() == {"deleted": reading["reading_id"]}
    assert web.get(address).status_code == 404


def test_a_page_has_a_picture(web: FlaskClient) -> None:
    answer = web.get(f"/page/readings/{keep(web, 'text')['reading_id']}/pages/1/image")
    assert (answer.mimetype, answer.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_a_reading_is_downloaded_in_each_format(web: FlaskClient) -> None:
    reading = keep(web, "one", "two")
    for form in ("text", "json", "hocr", "alto", "page", "pdf", "tsv", "words", "crops"):
        answer = web.get(f"/page/readings/{reading['reading_id']}/export/{form}")
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=letter.")
    assert web.get(f"/page/readings/{reading['reading_id']}/export/docx").status_code == 400


def test_whoever_leaves_frees_the_readers_at_once(server: RunningServer) -> None:
    """Pages that would never end hold neither readers nor the page's places for uploads once nobody waits for them."""
    document = tiny("!hang")
    head = "POST /page/readings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
    message = f"{head}Content-Length: {len(document)}\r\n\r\n".encode() + document
    with HaleganadaClient(server.address) as client, ExitStack() as resources:
        app = create_app(client)
        limits = ConnectionLimits()
        address = resources.enter_context(run_in_thread(make_server(app, "127.0.0.1", 0, limits)))
        place = f"http://{address}/page/readings"
        with ExitStack() as open_calls:
            for _ in range(UPLOADS_AT_ONCE):
                host, port = address.split(":")
                open_calls.enter_context(socket.create_connection((host, int(port)), 60)).sendall(message)
            wait_until(lambda: app.extensions["haleganada_uploads"]._value == 0)  # looking takes no place
            assert try_to_read(place) == 429
        wait_until(lambda: try_to_read(place) == 200)


def try_to_read(place: str) -> int:
    """Ask for a page to be read; return the HTTP status."""
    headers = {"Content-Type": "application/octet-stream"}
    try:
        with urlopen(Request(place, tiny("text"), headers), timeout=60) as answer:
            answer.read()
            return int(answer.status)
    except HTTPError as refused:
        with refused:
            return refused.code


def test_engines_say_what_to_install(web: FlaskClient) -> None:
    engines = {engine["engine"]: engine for engine in web.get("/page/readings/engines").get_json()}
    assert engines["tiny"]["installed"]
    assert engines["missing"]["install_hint"] == "pip install missing, then start the server again"
