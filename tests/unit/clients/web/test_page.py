"""The JSON behind the page, in front of a real server."""

from __future__ import annotations

import io
import time
from typing import Any

from flask.testing import FlaskClient

from tests.unit.clients.web.conftest import client_of

CROSS = {"width": 100, "height": 100, "strokes": [{"x": [10, 90], "y": [10, 90]}, {"x": [90, 10], "y": [10, 90]}]}
BAR = {"width": 100, "height": 100, "pen_width": 4, "strokes": [{"x": [50, 50], "y": [5, 95], "time_ms": [0, 90]}]}


def ask(web: FlaskClient, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = web.get(path) if body is None else web.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_the_same_lesson_twice_is_learned_once(web: FlaskClient) -> None:
    lesson = {"ink": CROSS, "label": "x", "request_id": "once"}
    first, second = ask(web, "/page/train", lesson), ask(web, "/page/train", lesson)
    assert second["duplicate"] and second["sample_id"] == first["sample_id"]
    assert ask(web, "/page/stats")["samples_total"] == 1


def test_a_correction_is_counted(web: FlaskClient) -> None:
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
    found = ask(web, "/page/predict", {"ink": BAR})
    done = ask(web, "/page/correct", {"prediction_id": found["prediction_id"], "label": "l"})
    assert done["taught"]["label"] == "l"
    assert ask(web, "/page/stats")["corrections"] == 1


def test_gallery(web: FlaskClient) -> None:
    sample_id = ask(web, "/page/train", {"ink": CROSS, "label": "x"})["sample_id"]
    listed = ask(web, "/page/samples?page_size=1")
    assert [sample["label"] for sample in listed["samples"]] == ["x"] and listed["total_size"] == 1
    assert ask(web, f"/page/samples/{sample_id}/relabel", {"label": "y"})["label"] == "y"
    assert ask(web, f"/page/samples/{sample_id}")["label"] == "y"
    assert web.get(f"/page/samples/{sample_id}.png").data.startswith(b"\x89PNG")
    ask(web, f"/page/samples/{sample_id}/forget", {})
    assert web.get(f"/page/samples/{sample_id}").status_code == 404


def test_links_and_undo(web: FlaskClient) -> None:
    for label, ink in (("x", CROSS), ("l", BAR)):
        ask(web, "/page/train", {"ink": ink, "label": label})
    assert ask(web, "/page/link", {"form": "l", "canonical": "x"})["forms"] == ["x", "l"]
    assert ask(web, "/page/unlink", {"form": "l"})["former_canonical"] == "x"
    revision = ask(web, "/page/stats")["revision"]
    assert web.post("/page/undo", json={"expected_revision": revision - 1}).status_code == 409
    refused = web.post("/page/undo", json={})  # would take back whatever somebody did last
    assert (refused.status_code, refused.get_json()["field"]) == (400, "expected_revision")
    assert ask(web, "/page/undo", {"expected_revision": revision})["kind"] == "unlink"


def test_whether_a_link_changes_what_is_read(web: FlaskClient) -> None:
    for form, canonical, other in (("ಆ", "ಅ", True), ("A", "a", False), ("", "", False)):
        found = web.get("/page/link", query_string={"form": form, "canonical": canonical})
        assert found.get_json() == {"other_text": other}


def test_snapshots_and_reset(web: FlaskClient, workspace: str) -> None:
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
    kept = ask(web, "/page/save", {"name": "good"})
    assert web.post("/page/reset", json={"confirm": "wrong"}).status_code == 409
    ask(web, "/page/reset", {"confirm": workspace})
    assert ask(web, "/page/stats")["samples_total"] == 0
    assert "good" in [snapshot["name"] for snapshot in ask(web, "/page/snapshots")]
    ask(web, "/page/restore", {"snapshot_id": kept["snapshot_id"]})
    assert ask(web, "/page/stats")["samples_total"] == 1


def test_deleting_a_snapshot(web: FlaskClient, workspace: str) -> None:
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
    kept = ask(web, "/page/save", {"name": "only"})
    request = {"snapshot_id": kept["snapshot_id"]}
    assert web.post("/page/snapshots/delete", json=request).status_code == 409
    deleted = ask(web, "/page/snapshots/delete", {**request, "confirm": workspace})
    assert deleted["freed_bytes"] == kept["size_bytes"] and ask(web, "/page/snapshots") == []


def test_export_and_import(web: FlaskClient) -> None:
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
    for form in ("archive", "seed", "jsonl", "folder"):
        file = web.get(f"/page/export?format={form}")
        assert file.status_code == 200 and "attachment" in file.headers["Content-Disposition"] and file.data
    assert web.get("/page/export?format=pickle").status_code == 400
    archive = web.get("/page/export").data
    ask(web, "/page/workspaces", {"name": f"copy {time.time_ns()}"})
    name = next(one["name"] for one in ask(web, "/page/workspaces") if one["name"].startswith("copy"))
    sent = web.post(
        f"/page/import?workspace={name}", input_stream=io.BytesIO(archive), content_type="application/octet-stream",
        headers={"Content-Length": str(len(archive))},
    )  # fmt: skip
    assert sent.get_json()["imported"] == 1
    assert ask(web, f"/page/stats?workspace={name}")["samples_total"] == 1


def test_without_a_server_it_says_so(start_server: Any) -> None:
    from haleganada_client import HaleganadaClient
    from haleganada_client.web import create_app

    running = start_server()
    with HaleganadaClient(running.address) as client:
        lonely = client_of(create_app(client))
        assert lonely.get("/api/health").status_code == 200
        running.stop()
        answer = lonely.post("/page/predict", json={"ink": CROSS})
        assert answer.status_code == 503 and "no server answers" in answer.get_json()["error"]
        assert lonely.get("/").status_code == 200
