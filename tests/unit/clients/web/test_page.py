"""The JSON behind the page, in front of a real server."""
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
from __future__ import annotations
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
import io
from tests.unit.clients.web.conftest import client_of
import time
from tests.unit.clients.web.conftest import client_of
from typing import Any
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
from flask.testing import FlaskClient
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
CROSS = {"width": 100, "height": 100, "strokes": [{"x": [10, 90], "y": [10, 90]}, {"x": [90, 10], "y": [10, 90]}]}
from tests.unit.clients.web.conftest import client_of
BAR = {"width": 100, "height": 100, "pen_width": 4, "strokes": [{"x": [50, 50], "y": [5, 95], "time_ms": [0, 90]}]}
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def ask(web: FlaskClient, path: str, body: dict[str, Any] | None = None) -> Any:
from tests.unit.clients.web.conftest import client_of
    answer = web.get(path) if body is None else web.post(path, json=body)
from tests.unit.clients.web.conftest import client_of
    assert answer.status_code == 200, answer.text
from tests.unit.clients.web.conftest import client_of
    return answer.get_json()
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_the_same_lesson_twice_is_learned_once(web: FlaskClient) -> None:
from tests.unit.clients.web.conftest import client_of
    lesson = {"ink": CROSS, "label": "x", "request_id": "once"}
from tests.unit.clients.web.conftest import client_of
    first, second = ask(web, "/page/train", lesson), ask(web, "/page/train", lesson)
from tests.unit.clients.web.conftest import client_of
    assert second["duplicate"] and second["sample_id"] == first["sample_id"]
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/stats")["samples_total"] == 1
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_a_correction_is_counted(web: FlaskClient) -> None:
from tests.unit.clients.web.conftest import client_of
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
from tests.unit.clients.web.conftest import client_of
    found = ask(web, "/page/predict", {"ink": BAR})
from tests.unit.clients.web.conftest import client_of
    done = ask(web, "/page/correct", {"prediction_id": found["prediction_id"], "label": "l"})
from tests.unit.clients.web.conftest import client_of
    assert done["taught"]["label"] == "l"
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/stats")["corrections"] == 1
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_gallery(web: FlaskClient) -> None:
from tests.unit.clients.web.conftest import client_of
    sample_id = ask(web, "/page/train", {"ink": CROSS, "label": "x"})["sample_id"]
from tests.unit.clients.web.conftest import client_of
    listed = ask(web, "/page/samples?page_size=1")
from tests.unit.clients.web.conftest import client_of
    assert [sample["label"] for sample in listed["samples"]] == ["x"] and listed["total_size"] == 1
from tests.unit.clients.web.conftest import client_of
    assert ask(web, f"/page/samples/{sample_id}/relabel", {"label": "y"})["label"] == "y"
from tests.unit.clients.web.conftest import client_of
    assert ask(web, f"/page/samples/{sample_id}")["label"] == "y"
from tests.unit.clients.web.conftest import client_of
    assert web.get(f"/page/samples/{sample_id}.png").data.startswith(b"\x89PNG")
from tests.unit.clients.web.conftest import client_of
    ask(web, f"/page/samples/{sample_id}/forget", {})
from tests.unit.clients.web.conftest import client_of
    assert web.get(f"/page/samples/{sample_id}").status_code == 404
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_links_and_undo(web: FlaskClient) -> None:
from tests.unit.clients.web.conftest import client_of
    for label, ink in (("x", CROSS), ("l", BAR)):
from tests.unit.clients.web.conftest import client_of
        ask(web, "/page/train", {"ink": ink, "label": label})
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/link", {"form": "l", "canonical": "x"})["forms"] == ["x", "l"]
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/unlink", {"form": "l"})["former_canonical"] == "x"
from tests.unit.clients.web.conftest import client_of
    revision = ask(web, "/page/stats")["revision"]
from tests.unit.clients.web.conftest import client_of
    assert web.post("/page/undo", json={"expected_revision": revision - 1}).status_code == 409
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/undo", {"expected_revision": revision})["kind"] == "unlink"
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_whether_a_link_changes_what_is_read(web: FlaskClient) -> None:
from tests.unit.clients.web.conftest import client_of
    for form, canonical, other in (("ಆ", "ಅ", True), ("A", "a", False), ("", "", False)):
from tests.unit.clients.web.conftest import client_of
        found = web.get("/page/link", query_string={"form": form, "canonical": canonical})
from tests.unit.clients.web.conftest import client_of
        assert found.get_json() == {"other_text": other}
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_snapshots_and_reset(web: FlaskClient, workspace: str) -> None:
from tests.unit.clients.web.conftest import client_of
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
from tests.unit.clients.web.conftest import client_of
    kept = ask(web, "/page/save", {"name": "good"})
from tests.unit.clients.web.conftest import client_of
    assert web.post("/page/reset", json={"confirm": "wrong"}).status_code == 409
from tests.unit.clients.web.conftest import client_of
    ask(web, "/page/reset", {"confirm": workspace})
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/stats")["samples_total"] == 0
from tests.unit.clients.web.conftest import client_of
    assert "good" in [snapshot["name"] for snapshot in ask(web, "/page/snapshots")]
from tests.unit.clients.web.conftest import client_of
    ask(web, "/page/restore", {"snapshot_id": kept["snapshot_id"]})
from tests.unit.clients.web.conftest import client_of
    assert ask(web, "/page/stats")["samples_total"] == 1
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_export_and_import(web: FlaskClient) -> None:
from tests.unit.clients.web.conftest import client_of
    ask(web, "/page/train", {"ink": CROSS, "label": "x"})
from tests.unit.clients.web.conftest import client_of
    for form in ("archive", "seed", "jsonl", "folder"):
from tests.unit.clients.web.conftest import client_of
        file = web.get(f"/page/export?format={form}")
from tests.unit.clients.web.conftest import client_of
        assert file.status_code == 200 and "attachment" in file.headers["Content-Disposition"] and file.data
from tests.unit.clients.web.conftest import client_of
    assert web.get("/page/export?format=pickle").status_code == 400
from tests.unit.clients.web.conftest import client_of
    archive = web.get("/page/export").data
from tests.unit.clients.web.conftest import client_of
    ask(web, "/page/workspaces", {"name": f"copy {time.time_ns()}"})
from tests.unit.clients.web.conftest import client_of
    name = next(one["name"] for one in ask(web, "/page/workspaces") if one["name"].startswith("copy"))
from tests.unit.clients.web.conftest import client_of
    sent = web.post(
from tests.unit.clients.web.conftest import client_of
        f"/page/import?workspace={name}", input_stream=io.BytesIO(archive), content_type="application/octet-stream",
from tests.unit.clients.web.conftest import client_of
        headers={"Content-Length": str(len(archive))},
from tests.unit.clients.web.conftest import client_of
    )  # fmt: skip
from tests.unit.clients.web.conftest import client_of
    assert sent.get_json()["imported"] == 1
from tests.unit.clients.web.conftest import client_of
    assert ask(web, f"/page/stats?workspace={name}")["samples_total"] == 1
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
def test_without_a_server_it_says_so(start_server: Any) -> None:
from tests.unit.clients.web.conftest import client_of
    from haleganada_client import HaleganadaClient
from tests.unit.clients.web.conftest import client_of
    from haleganada_client.web import create_app
from tests.unit.clients.web.conftest import client_of

from tests.unit.clients.web.conftest import client_of
    running = start_server()
from tests.unit.clients.web.conftest import client_of
    with HaleganadaClient(running.address) as client:
from tests.unit.clients.web.conftest import client_of
        lonely = client_of(create_app(client))
from tests.unit.clients.web.conftest import client_of
        assert lonely.get("/api/health").status_code == 200
from tests.unit.clients.web.conftest import client_of
        running.stop()
from tests.unit.clients.web.conftest import client_of
        answer = lonely.post("/page/predict", json={"ink": CROSS})
from tests.unit.clients.web.conftest import client_of
        assert answer.status_code == 503 and "no server answers" in answer.get_json()["error"]
from tests.unit.clients.web.conftest import client_of
        assert lonely.get("/").status_code == 200
from tests.unit.clients.web.conftest import client_of
