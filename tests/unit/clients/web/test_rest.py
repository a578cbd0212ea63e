"""The seed's REST routes: its paths, its keys, its units; and the document that describes them."""

from __future__ import annotations

import json
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


def test_every_spelling_of_base64_is_the_same_picture(web: FlaskClient) -> None:
    train(web, "ಅ")
    plain = data_url().partition(",")[2]
    lines = "\r\n".join(plain[i : i + 76] for i in range(0, len(plain), 76))
    safe = plain.replace("+", "-").replace("/", "_")
    for image in (
        plain,
        lines,
        f"data:image/png;base64,{lines}",
        safe,
        safe.rstrip("="),
        f"DATA:image/png;base64, {plain}",
    ):
        answer = web.post("/predict", json={"image": image})
        assert answer.status_code == 200 and answer.get_json()["predicted_char"] == "ಅ"
    for image in ("data:image/png,%89PNG", "data:", "no base64!"):
        assert web.post("/predict", json={"image": image}).get_json()["field"] == "image"


def test_who_is_to_answer_can_be_said(web: FlaskClient) -> None:
    train(web, "ಅ")
    asked = {"image": data_url(shift=3), "model": "starter"}
    for path in ("/predict", "/page/predict"):
        body = web.post(path, json=asked).get_json()
        assert body["model"] not in ("few-shot", "") and "ಅ" not in str(body)
        assert web.post(path, json={**asked, "model": "few-shot"}).get_json()["model"] == "few-shot"
        refused = web.post(path, json={**asked, "model": "nosuch"})
        assert refused.status_code == 404 and "nosuch" in refused.get_json()["error"]


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_several_models_are_asked_together(web: FlaskClient, path: str) -> None:
    body: dict[str, Any] = {"image": data_url()} if path == "/predict" else {"drawings": [{"image": data_url()}]}
    for query, models in (("?model=starter&model=nosuch", None), ("", ["starter", "nosuch"])):
        refused = web.post(path + query, json={**body, **({"model": models} if models else {})})
        assert refused.status_code == 404 and "nosuch" in refused.get_json()["error"]
    twice = web.post(f"{path}?model=starter&model=starter", json=body)
    assert twice.status_code == 400 and "2 to 8 different models" in twice.get_json()["error"]
    assert web.post(path, json={**body, "model": ["starter"]}).status_code == 200
    wrong = web.post(path, json={**body, "model": ["starter", 5]})
    assert wrong.status_code == 400 and wrong.get_json()["field"] == "model"


def test_the_size_of_the_script_can_be_said(web: FlaskClient) -> None:
    for number in range(25):
        train(web, f"L{number}", "box", shift=number)
    asked = {"image": data_url("box", shift=30)}

    def ask(path: str, **more: int) -> float:
        body = web.post(path, json={**asked, **more}).get_json()
        return float(body["unknown"] if path.startswith("/predict") else body["unknown_probability"])

    for path in ("/predict", "/page/predict"):
        assert ask(path, script_labels=25) < ask(path) < ask(path, script_labels=50)
    assert ask("/predict?script_labels=25") == ask("/predict", script_labels=25)
    batch = web.post("/predict/batch", json={"drawings": [asked], "script_labels": 25}).get_json()
    assert batch["results"][0]["unknown"] == ask("/predict", script_labels=25)


def test_variants_answer_with_their_letter(web: FlaskClient) -> None:
    train(web, "ಕ", "box")
    assert train(web, "ಕಿ", variant_of="ಕ")["trained_as"] == "ಕ"
    body = web.post("/predict", json={"image": data_url(shift=3)}).get_json()
    assert body["predicted_char"] == "ಕ" and body["form"] == "ಕಿ"
    assert body["variant_info"] == {"canonical": "ಕ", "variants": ["ಕ", "ಕಿ"]}
    assert len({entry["char"] for entry in body["top_3"]}) == len(body["top_3"])


def test_the_index_is_that_of_the_predicted_character(web: FlaskClient) -> None:
    train(web, "ಇ", "box")
    train(web, "ಕಿ", variant_of="ಕ")
    found = web.post("/predict", json={"image": data_url(shift=3)}).get_json()
    assert (found["predicted_char"], found["form"], found["char_idx"]) == ("ಕ", "ಕಿ", -1)  # ಕ was never taught itself
    train(web, "ಕ", "box")
    found = web.post("/predict", json={"image": data_url(shift=3)}).get_json()
    assert (found["predicted_char"], found["form"], found["char_idx"]) == ("ಕ", "ಕಿ", 2)


@pytest.mark.parametrize("query", ["", "?top_k=2&model=few-shot"])
def test_as_many_labels_as_were_asked_for(web: FlaskClient, query: str) -> None:
    for label in "abcd":
        train(web, label)
    body = {"image": data_url()} if query else {"image": data_url(), "top_k": 2, "model": "few-shot"}
    found = web.post(f"/predict{query}", json=body).get_json()
    assert len(found["top_k"]) == len(found["top_3"]) == 2 and found["model"] == "few-shot"
    assert found["knowledge_age_ms"] == 0
    assert len(web.post("/predict", json={"image": data_url(), "top_k": 50}).get_json()["top_k"]) == 4
    assert web.post("/predict?model=starter", json={"image": data_url()}).get_json()["model"] != "few-shot"


def test_many_drawings_at_once(web: FlaskClient) -> None:
    train(web, "ಅ")
    drawings = [{"image": data_url(shift=3)}, {"image": "AAAA"}]
    found = web.post("/predict/batch", json={"drawings": drawings}).get_json()
    assert found["success"] is False and found["results"][0]["predicted_char"] == "ಅ"
    assert found["results"][1]["success"] is False and found["results"][1]["field"] == "image"
    refused = web.post("/predict/batch", json={"drawings": [drawings[0], {}]})
    assert (refused.status_code, refused.get_json()["field"]) == (400, "drawings[1].image")


def test_correct_and_review(web: FlaskClient) -> None:
    train(web, "ಅ")
    found = web.post("/predict", json={"image": data_url("box")}).get_json()
    done = web.post("/correct", json={"prediction_id": found["prediction_id"], "char": "ಆ"}).get_json()
    assert done.keys() >= TRAIN_KEYS and done["trained_as"] == "ಆ" and "predicted" in done
    listed = web.get("/samples?page_size=1").get_json()
    assert [sample["char"] for sample in listed["samples"]] == ["ಆ"] and listed["total_samples"] == 2
    assert [sample["char"] for sample in web.get("/samples?char=ಅ").get_json()["samples"]] == ["ಅ"]
    number = done["sample_id"]
    assert web.get(f"/samples/{number}.png").data.startswith(b"\x89PNG")
    assert web.post(f"/samples/{number}/relabel", json={"char": "ಇ"}).get_json()["sample"]["char"] == "ಇ"
    assert web.post(f"/samples/{number}/forget").get_json()["success"] is True
    assert web.get(f"/samples/{number}").status_code == 404
    assert web.post("/correct", json={"prediction_id": "none", "char": "a"}).status_code == 404


def test_a_bare_reset_is_refused_and_says_how(web: FlaskClient, workspace: str) -> None:
    refused = web.post("/reset")
    body = refused.get_json()
    assert (refused.status_code, body["reason"], body["field"]) == (409, "CONFIRMATION_NEEDED", "confirm")
    assert json.dumps({"confirm": workspace}) in body["error"]


STRANGE: tuple[Any, ...] = (
    "\ud800",
    "a\0b",
    10**20,
    -1,
    0,
    1.5,
    1e400,
    True,
    [],
    ["x"],
    {},
    {"x": {"y": 1}},
    "x" * 100_000,
)


@pytest.mark.parametrize(
    ("path", "sound"),
    [
        ("/train", {"image": data_url(), "char": "a", "variant_of": "b"}),
        ("/train", {"ink": {"width": 9, "height": 9, "strokes": [{"x": [1], "y": [2]}], "pen_width": 1}, "char": "a"}),
        ("/predict", {"image": data_url(), "top_k": 3, "model": ""}),
        ("/predict/batch", {"drawings": [{"image": data_url()}], "top_k": 3, "model": ""}),
        ("/correct", {"prediction_id": "x", "char": "a", "variant_of": ""}),
        ("/link_variants", {"char1": "a", "char2": "b"}),
        ("/samples/1/relabel", {"char": "a"}),
        ("/save", {"name": "x"}),
        ("/reset", {"confirm": "x"}),
    ],
)
def test_no_mistake_of_a_caller_is_a_failure_of_the_server(web: FlaskClient, path: str, sound: dict[str, Any]) -> None:
    for field, value in sound.items():
        parts = value.items() if isinstance(value, dict) else ()
        bodies = [{**sound, field: strange} for strange in STRANGE]
        bodies += [{**sound, field: {**value, part: strange}} for part, _ in parts for strange in STRANGE]
        for body in bodies:
            answer = web.post(path, data=json.dumps(body), content_type="application/json")
            assert answer.status_code < 500, (body, answer.text)
            assert answer.status_code in (200, 404, 409) or answer.get_json()["field"], (body, answer.text)


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, '{"char": ' + "1" * 10_000 + "}", "\ud800", "null", "{", ""],
)
def test_what_is_no_object_is_a_mistake_of_the_caller(web: FlaskClient, body: str) -> None:
    data = body.encode("utf-8", "surrogatepass")
    for path in ("/train", "/predict", "/predict/batch", "/reset", "/page/train"):
        answer = web.post(path, data=data, content_type="application/json")
        assert answer.status_code in (400, 409) and not answer.get_json()["success"]


@pytest.mark.parametrize(
    "path",
    [
        "/predict?top_k=x", "/predict?top_k=0", "/predict?top_k=99999999999999999999", "/predict?workspace=%ED%A0%80",
        "/predict?model=%FF", "/predict?top_k=-1",
    ],
)  # fmt: skip
def test_a_bad_query_is_a_mistake_of_the_caller(web: FlaskClient, path: str) -> None:
    assert web.post(path, json={"image": data_url()}).status_code in (400, 404)


def test_bad_addresses_of_samples_are_mistakes_of_the_caller(web: FlaskClient) -> None:
    for path, status in (
        (f"/samples/{10**25}", 400),
        ("/samples/0", 400),
        ("/samples/7", 404),
        ("/samples/x", 404),
        ("/samples?page_size=x", 400),
        ("/samples?page_token=x", 400),
        (f"/page/samples/{10**25}.png", 400),
        ("/export_data?x=%FF", 200),
    ):
        assert web.get(path).status_code == status, path


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
        ("/predict", {"image": data_url(), "script_labels": -1}, "script_labels"),
        ("/page/predict", {"image": data_url(), "script_labels": 1_000_001}, "script_labels"),
        ("/page/predict", {"image": data_url(), "script_labels": "many"}, "script_labels"),
        ("/page/predict", {"ink": {"strokes": [{"x": ["a"]}]}}, "ink"),
        ("/page/predict", {"image": data_url(), "models": "few-shot"}, "models"),
        ("/page/predict", {"image": data_url(), "models": ["few-shot"]}, "models"),
        ("/page/predict", {"image": data_url(), "models": [1, 2]}, "models"),
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
        ({"image": "data:image/svg+xml;base64,PHN2Zy8+PHN2Zy8+"}, "image: is not a PNG, JPEG or WebP image"),
    ],
)
def test_bad_input_says_what_is_wrong(web: FlaskClient, body: dict[str, Any], error: str) -> None:
    said = web.post("/train", json={"image": data_url(), "char": "a", **body}).get_json()["error"]
    assert said.startswith(error) and "base64" not in said  # which is what these routes ask for
