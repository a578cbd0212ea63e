"""The JSON routes that correct pages, for the page and for programs."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from tests.contract.reading.taught_loop import write
from tests.unit.clients.web.test_readings import read

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")


@pytest.fixture
def address(web: FlaskClient, workspace: str) -> str:
    """Of the only page of a reading, which nobody has taught."""
    document = write(("ಕಖ ಕ",)).to_png()
    last = read(web, document, mode="taught", workspace=workspace, reading_order="left-to-right")[-1]
    assert last["done"]["reading"]["workspace"] == workspace
    return f"{last['done']['reading']['reading_id']}/pages/1"


def glyphs_of(page: dict[str, Any]) -> list[dict[str, Any]]:
    words = [word for block in page["blocks"] for line in block["lines"] for word in line["words"]]
    return [glyph for word in words for glyph in word["glyphs"]]


def test_each_correction(web: FlaskClient, address: str) -> None:
    first = web.get(f"/page/readings/{address}").get_json()
    assert first["questions"][0]["reason"] == "unknown" and first["questions"][0]["similar_glyph_ids"]
    glyphs = glyphs_of(first)
    ids = [glyph["glyph_id"] for glyph in glyphs]
    (left, top), (right, _), (_, bottom), _ = glyphs[2]["polygon"]
    middle = (left + right) / 2

    def correct(**correction: Any) -> dict[str, Any]:
        answer = web.post(f"/page/readings/{address}/corrections", json=correction)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    named = correct(name={"glyph_ids": [ids[0]], "text": "ಕ"}, expected_revision=0)
    assert set(named) == {"page", "sample_ids", "changed_glyph_ids", "reading"}
    assert named["page"]["text"] == "ಕ\ufffd ಕ\n" and named["changed_glyph_ids"] == [ids[0], ids[2]]
    assert glyphs_of(named["page"])[0]["settled"] and named["reading"]["expire_time"] is None
    assert len(correct(remove={"glyph_ids": [ids[1]]})["sample_ids"]) == 0
    assert correct(split={"glyph_id": ids[2], "from": [middle, top - 9], "to": [middle, bottom + 9]})["page"]
    assert correct(undo={"revision": 1})["page"]["text"] == named["page"]["text"]
    assert correct(join={"glyph_ids": ids[:2], "text": "ಙ"})["page"]["text"].startswith("ಙ")
    assert correct(undo={"revision": None})["page"]["revision"] == 6


def test_programs_correct_pages_as_described(web: FlaskClient, address: str) -> None:
    described = web.get("/openapi.json").get_json()

    def check(content: dict[str, Any], value: object) -> None:
        schema = content["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": described["components"]}).validate(value)

    path = "/api/readings/{reading_id}/pages/{page}"
    shown = web.get(f"/api/readings/{address}").get_json()
    check(described["paths"][path]["get"]["responses"]["200"], shown)
    body = {"name": {"glyph_ids": [glyphs_of(shown["page"])[0]["glyph_id"]], "text": "ಕ"}}
    operation = described["paths"][f"{path}/corrections"]["post"]
    check(operation["requestBody"], body)
    check(operation["responses"]["200"], web.post(f"/api/readings/{address}/corrections", json=body).get_json())


def test_what_cannot_be_corrected(web: FlaskClient, address: str) -> None:
    refused: tuple[tuple[dict[str, Any], int, str], ...] = (
        ({}, 400, ""),
        ({"name": {"glyph_ids": [1], "text": "ಕ"}, "undo": {}}, 400, ""),
        ({"name": 7}, 400, "name"),
        ({"name": {"glyph_ids": "1", "text": "ಕ"}}, 400, "glyph_ids"),
        ({"name": {"glyph_ids": [1.5], "text": "ಕ"}}, 400, "glyph_ids"),
        ({"name": {"glyph_ids": [1]}}, 400, "text"),
        ({"split": {"glyph_id": 1, "from": [1], "to": [2, 2]}}, 400, "from"),
        ({"split": {"from": [1, 1], "to": [2, 2]}}, 400, "glyph_id"),
        ({"name": {"glyph_ids": [99999], "text": "ಕ"}}, 404, ""),
        ({"undo": {}, "expected_revision": 3}, 409, ""),
        ({"undo": {}}, 409, ""),
    )
    for body, status, field in refused:
        answer = web.post(f"/page/readings/{address}/corrections", json=body)
        assert (answer.status_code, answer.get_json()["field"]) == (status, field), answer.text
