"""The seed's REST routes: its paths, its keys, its units; and the document that describes them."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.clients.web.conftest import data_url

TRAIN_KEYS = {"success", "sample_id", "loss", "chars_learned", "total_samples", "trained_as", "vocab_size", "saved"}
PREDICT_KEYS = {"success", "predicted_char", "confidence", "char_idx", "variant_info", "top_3"}
LOG_KEYS = {
    "sample_id", "timestamp", "character", "canonical_form", "character_index", "loss", "is_variant", "image_path",
    "total_chars", "vocab_size",
}  # fmt: skip
SUMMARY_KEYS = {
    "total_characters", "total_samples", "character_counts", "average_losses", "variant_groups", "training_stats",
}  # fmt: skip


def train(web: FlaskClient, char: str, kind: str = "cross", **more: Any) -> dict[str, Any]:
    answer = web.post("/train", json={"image": data_url(kind), "char": char, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def test_train(web: FlaskClient) -> None:
    body = train(web, "ಅ", variant_of=None)
    assert body.keys() >= TRAIN_KEYS
    assert body["success"] is True and body["saved"] is True
    assert (body["sample_id"], body["chars_learned"], body["total_samples"], body["vocab_size"]) == (1, 1, 1, 1)
    assert body["trained_as"] == "ಅ"


def test_predict(web: FlaskClient) -> None:
    train(web, "ಇ", "box")
    train(web, "ಅ")
    body = web.post("/predict", json={"image": data_url(shift=3)}).get_json()
    assert body.keys() >= PREDICT_KEYS
    assert body["predicted_char"] == "ಅ" and body["char_idx"] == 1
    assert 1 < body["confidence"] <= 100  # percent
    assert body["top_3"][0] == {"char": "ಅ", "confidence": body["confidence"]}
    assert body["variant_info"] == {"canonical": "ಅ", "variants": ["ಅ"]}


def test_who_is_to_answer_can_be_said(web: FlaskClient) -> None:
    train(web, "ಅ")
    asked = {"image": data_url(shift=3), "model": "starter"}
    for path in ("/predict", "/page/predict"):
        body = web.post(path, json=asked).get_json()
        assert body["model"] not in ("few-shot", "") and "ಅ" not in str(body)
        assert web.post(path, json={**asked, "model": "few-shot"}).get_json()["model"] == "few-shot"
        refused = web.post(path, json={**asked, "model": "nosuch"})
        assert refused.status_code == 404 and "nosuch" in refused.get_json()["error"]


def test_variants_answer_with_their_letter(web: FlaskClient) -> None:
    train(web, "ಕ", "box")
    assert train(web, "ಕಿ", variant_of="ಕ")["trained_as"] == "ಕ"
    body = web.post("/predict", json={"image": data_url(shift=3)}).get_json()
    assert body["predicted_char"] == "ಕ" and body["form"] == "ಕಿ"
    assert body["variant_info"] == {"canonical": "ಕ", "variants": ["ಕ", "ಕಿ"]}
    assert len({entry["char"] for entry in body["top_3"]}) == len(body["top_3"])


def test_link_variants(web: FlaskClient) -> None:
    train(web, "ಅ")
    train(web, "ಆ", "box")
    body = web.post("/link_variants", json={"char1": "ಅ", "char2": "ಆ"}).get_json()
    assert (body["canonical"], body["variants"]) == ("ಅ", ["ಅ", "ಆ"])


def test_stats_and_export(web: FlaskClient) -> None:
    train(web, "ಅ")
    stats = web.get("/stats").get_json()
    assert stats.keys() >= SUMMARY_KEYS
    assert stats["character_counts"] == {"ಅ": 1} and stats["training_stats"].keys() == {
        "min_loss",
        "max_loss",
        "avg_loss",
    }
    exported = web.get("/export_data").get_json()
    assert exported["summary"].keys() >= SUMMARY_KEYS
    assert [record.keys() for record in exported["training_log"]] == [LOG_KEYS]


def test_save_and_reset(web: FlaskClient, workspace: str) -> None:
    train(web, "ಅ")
    assert web.post("/save", json={}).get_json()["success"] is True
    refused = web.post("/reset", json={})
    assert refused.status_code == 409 and refused.get_json()["success"] is False
    assert web.post("/reset", json={"confirm": workspace}).get_json()["samples"] == 1
    assert web.get("/stats").get_json()["total_samples"] == 0


def test_nothing_taught(web: FlaskClient) -> None:
    body = web.post("/predict", json={"image": data_url()}).get_json()
    assert body.keys() >= PREDICT_KEYS and body["decision"] == "nothing_taught"
    assert (body["predicted_char"], body["confidence"], body["char_idx"], body["top_3"]) == (None, 0, -1, [])


def test_the_index_of_a_character_stays_when_another_is_forgotten(web: FlaskClient) -> None:
    first = train(web, "ಇ", "box")["sample_id"]
    train(web, "ಅ")
    assert web.post("/predict", json={"image": data_url(shift=3)}).get_json()["char_idx"] == 1
    web.post(f"/page/samples/{first}/forget", json={})
    assert web.post("/predict", json={"image": data_url(shift=3)}).get_json()["char_idx"] == 1
    (record,) = web.get("/export_data").get_json()["training_log"]
    assert (record["character"], record["character_index"], record["total_chars"]) == ("ಅ", 1, 1)


def test_strokes_in_place_of_a_picture(web: FlaskClient) -> None:
    ink = {"width": 100, "height": 100, "strokes": [{"x": [10, 90], "y": [10, 90]}, {"x": [90, 10], "y": [10, 90]}]}
    assert web.post("/train", json={"ink": ink, "char": "x"}).status_code == 200
    assert web.post("/predict", json={"image": data_url()}).get_json()["predicted_char"] == "x"


def test_a_program_may_send_nothing_where_nothing_is_needed(web: FlaskClient) -> None:
    train(web, "ಅ")
    assert web.post("/save").get_json()["success"] is True
    assert web.post("/reset").status_code == 409


def test_workspaces_are_apart(web: FlaskClient) -> None:
    train(web, "ಅ")
    web.post("/page/workspaces", json={"name": "another"})
    elsewhere = web.post("/predict?workspace=another", json={"image": data_url()}).get_json()
    assert elsewhere["decision"] == "nothing_taught"
    assert web.post("/predict?workspace=nowhere", json={"image": data_url()}).status_code == 404


def test_export_tells_the_story_in_order(web: FlaskClient) -> None:
    train(web, "ಅ")
    train(web, "ಆ", "box", variant_of="ಅ")
    train(web, "ಅ")
    log = web.get("/export_data").get_json()["training_log"]
    assert [record["sample_id"] for record in log] == [1, 2, 3]
    assert [record["total_chars"] for record in log] == [1, 2, 2]
    assert [record["is_variant"] for record in log] == [False, True, False]
    assert web.get(log[0]["image_path"]).data.startswith(b"\x89PNG")


def test_health(web: FlaskClient) -> None:
    assert web.get("/api/health").get_json() == {"status": "healthy", "server": "SERVING"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/train", {"char": "a"}, "image"),
        ("/train", {"image": "data:image/png;base64,@@@", "char": "a"}, "image"),
        ("/train", {"image": data_url()}, "char"),
        ("/train", {"image": data_url(), "char": 7}, "char"),
        ("/train", {"image": data_url(), "char": "a\nb"}, "char"),
        ("/train", {"image": data_url(), "char": "a" * 65}, "char"),
        ("/predict", {"image": "data:image/png;base64,AAAA"}, "image"),
        ("/page/predict", {"ink": {"strokes": [{"x": ["a"]}]}}, "ink"),
        ("/page/predict", {"ink": {"strokes": [], "width": 1, "height": 1}}, "glyph.ink.strokes"),
        ("/predict", [], ""),
    ],
)
def test_bad_input_names_its_field(web: FlaskClient, path: str, body: object, field: str) -> None:
    answer = web.post(path, json=body)
    assert answer.status_code == 400
    assert answer.get_json()["success"] is False and answer.get_json()["field"] == field


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"char": ""}, "char: is empty"),
        ({"char": None}, "char: is missing"),
        ({"char": 7}, "char: must be text"),
        ({"image": "data:image/gif;base64,R0lGODlhAQABAAAAADs="}, "image: is not a PNG, JPEG or WebP image"),
    ],
)
def test_bad_input_says_what_is_wrong(web: FlaskClient, body: dict[str, Any], error: str) -> None:
    said = web.post("/train", json={"image": data_url(), "char": "a", **body}).get_json()["error"]
    assert said.startswith(error) and "base64" not in said  # which is what these routes ask for
