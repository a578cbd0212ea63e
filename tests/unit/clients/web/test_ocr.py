"""The REST routes that read text: the paths and keys of the system that they come from."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from tests.support.tiny_reader import tiny

LETTER = tiny("Dear Asha,\nthe mango tree blooms.", "Yours")
PAGES = "Dear Asha,\nthe mango tree blooms.\n\fYours\n"


def send(web: FlaskClient, path: str, **fields: Any) -> Any:
    return web.post(path, data=fields, content_type="multipart/form-data")


def as_file(content: bytes, name: str = "letter.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def check(web: FlaskClient, path: str, value: object) -> None:
    described = web.get("/openapi.json").get_json()
    answer = described["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**answer, "components": described["components"]}).validate(value)


def test_a_document_is_read(web: FlaskClient) -> None:
    answer = send(web, "/api/ocr", image=as_file(LETTER), mode="printed")
    assert answer.status_code == 200
    found = answer.get_json()
    assert (found["text"], found["mode"], found["engines"]) == (PAGES, "printed", ["tiny"])
    assert [page["page"] for page in found["pages"]] == [1, 2]
    check(web, "/api/ocr", found)


def test_the_mode_is_auto_unless_given(web: FlaskClient) -> None:
    assert send(web, "/api/ocr", image=as_file(LETTER)).get_json()["mode"] == "auto"


def test_the_script_of_a_workspace_is_read(web: FlaskClient) -> None:
    nowhere = send(web, "/api/ocr", image=as_file(LETTER), mode="taught", workspace="no such workspace")
    assert (nowhere.status_code, nowhere.get_json()["reason"]) == (404, "WORKSPACE_NOT_FOUND")


def test_handwriting_has_a_route_of_its_own(web: FlaskClient) -> None:
    found = send(web, "/api/ocr/handwritten", image=as_file(LETTER)).get_json()
    assert (found["text"], found["mode"]) == (PAGES, "handwritten")
    check(web, "/api/ocr/handwritten", found)


def test_a_batch_has_a_result_for_each_file(web: FlaskClient) -> None:
    files = [as_file(LETTER, "a.png"), as_file(b"no document", "b.png"), as_file(tiny("Third"), "c.png")]
    found = send(web, "/api/ocr/batch", images=files).get_json()
    assert [result["file_name"] for result in found["results"]] == ["a.png", "b.png", "c.png"]
    assert [result["success"] for result in found["results"]] == [True, False, True]
    assert found["results"][1]["reason"] == "DOCUMENT_UNREADABLE"
    assert not found["success"]
    check(web, "/api/ocr/batch", found)


@pytest.mark.parametrize(
    ("path", "fields", "status", "field"),
    [
        ("/api/ocr", {}, 400, "image"),
        ("/api/ocr", {"image": as_file(LETTER), "mode": "aloud"}, 400, "mode"),
        ("/api/ocr/batch", {}, 400, "images"),
        ("/api/ocr", {"image": as_file(b"no document")}, 409, ""),
    ],
)
def test_refusals_say_what_is_wrong(
    web: FlaskClient, path: str, fields: dict[str, Any], status: int, field: str
) -> None:
    answer = send(web, path, **fields)
    assert (answer.status_code, answer.get_json()["field"]) == (status, field)


def test_forms_of_other_sites_are_refused(web: FlaskClient) -> None:
    for sender in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://localhost"}):
        answer = web.post(
            "/api/ocr", data={"image": as_file(LETTER)}, content_type="multipart/form-data", headers=sender
        )
        assert answer.status_code == 403


def test_forms_change_nothing_elsewhere(web: FlaskClient) -> None:
    assert send(web, "/train", image=as_file(LETTER)).status_code == 415


def test_nothing_is_kept(web: FlaskClient) -> None:
    before = web.get("/page/readings").get_json()
    send(web, "/api/ocr", image=as_file(LETTER))
    assert web.get("/page/readings").get_json() == before
