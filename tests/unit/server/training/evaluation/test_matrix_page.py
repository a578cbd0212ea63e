"""The zoomable matrix is complete, small, safe for any label, and usable with a mouse or with keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.training.evaluation.matrix_page import write_confusion_page
from haleganada_server.training.evaluation.metrics import Evaluation
from haleganada_server.training.evaluation.predictions import LabelSpace, Predictions
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.web.browser import Page, browser, missing

in_browser = pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed")
EACH = 15
MARKUP = ("<img src=x onerror=document.title=1>", "</script><script>document.title=2</script>")
HOSTILE = (*MARKUP, "{{script}}", "&lt;", "\u2028x")
AKSHARAS = tuple(chr(0xC95 + i // 14 % 36) + "\u0ccd" * (i >= 504) + chr(0xCBE + i % 14) for i in range(657))


def evaluate(labels: tuple[str, ...], wrong: dict[tuple[int, int], int], each: int = EACH) -> Evaluation:
    """Evaluate `each` drawings of each label. wrong: number of drawings by (true, predicted) label."""
    truth = np.repeat(np.arange(len(labels)), each).astype(np.int32)
    top = np.full((len(truth), 5), -1, np.int32)
    top[:, 0] = truth
    begin = {row: row * each for row, _ in wrong}
    for (row, column), count in wrong.items():
        top[begin[row] : begin[row] + count, 0] = column
        begin[row] += count
    predictions = Predictions(top, np.full(len(truth), 0.9), np.ones(len(truth)))
    return Evaluation(LabelSpace(labels, len(labels)), truth, np.arange(len(truth)), predictions)


def keep_first(evaluation: Evaluation, drawings: int) -> Evaluation:
    """Keep the first drawings only."""
    old = evaluation.predictions
    predictions = Predictions(old.top[:drawings], old.confidence[:drawings], old.known[:drawings])
    return Evaluation(evaluation.space, evaluation.truth[:drawings], evaluation.items[:drawings], predictions)


def write_page(folder: Path, evaluation: Evaluation, title: str = "mine on letters") -> Path:
    path = folder / "confusion_matrix.html"
    write_confusion_page(path, evaluation, title, "Test part.")
    return path


def load_data(path: Path) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S)
    (text,) = found
    data: dict[str, Any] = json.loads(text)
    return data


def test_empty_cells_are_left_out(tmp_path: Path) -> None:
    data = load_data(write_page(tmp_path, evaluate(("ಅ", "ಆ", "ಇ"), {(0, 1): 3, (0, 2): 1})))
    cells = {tuple(data["cells"][i : i + 3]) for i in range(0, len(data["cells"]), 3)}
    assert cells == {(0, 0, 11), (0, 1, 3), (0, 2, 1), (1, 1, 15), (2, 2, 15)}
    assert (data["labels"], data["totals"], data["left_out"]) == (["ಅ", "ಆ", "ಇ"], [15, 15, 15], 0)


def test_labels_are_those_drawn_or_predicted(tmp_path: Path) -> None:
    evaluation = evaluate(("a", "b", "c", "d"), {(0, 3): 15})
    data = load_data(write_page(tmp_path, keep_first(evaluation, 30)))
    assert (data["labels"], data["totals"], data["cells"]) == (["a", "b", "d"], [15, 15, 0], [1, 1, 15, 0, 2, 15])


def test_the_file_stays_small_and_the_rarest_cells_are_left_out(tmp_path: Path) -> None:
    small = write_page(tmp_path, evaluate(AKSHARAS, {(i, (i * 7 + 1) % 657): 4 for i in range(657)}))
    assert small.stat().st_size < 100_000 and load_data(small)["left_out"] == 0
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(657), 300).astype(np.int32)
    top = np.where(rng.random(len(truth)) < 0.5, truth, rng.integers(0, 657, len(truth)))[:, None].astype(np.int32)
    predictions = Predictions(top, np.full(len(truth), 0.9), np.ones(len(truth)))
    large = write_page(tmp_path, Evaluation(LabelSpace(AKSHARAS, 657), truth, np.arange(len(truth)), predictions))
    data = load_data(large)
    cells = [tuple(data["cells"][i : i + 3]) for i in range(0, len(data["cells"]), 3)]
    assert large.stat().st_size < 500_000 and data["totals"] == [300] * 657
    pairs, counts = np.unique(truth * 657 + top[:, 0], return_counts=True)
    rarer = (pairs // 657 != pairs % 657) & (counts <= data["rarest"])
    assert data["rarest"] == 1 and data["left_out"] == rarer.sum() > 10_000
    expected = zip(pairs[~rarer] // 657, pairs[~rarer] % 657, counts[~rarer], strict=True)
    assert set(cells) == {(int(row), int(column), int(count)) for row, column, count in expected}


def test_no_label_is_markup(tmp_path: Path) -> None:
    path = write_page(tmp_path, evaluate(HOSTILE, {(0, 1): 3}), f"{HOSTILE[0]} on {HOSTILE[1]}")
    text = path.read_text("utf-8")
    assert "<img" not in text and text.count("</script>") == 2 and "document.title=2<" not in text
    assert load_data(path)["labels"] == list(HOSTILE)
    assert not re.search(r"https?://|\son\w+=[\"']|src=[\"']|@import|url\(", text)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy and "default-src 'none'" in policy[1] and "unsafe" not in policy[1]


_SECOND_OF_THE_FIRST_ROW = """
const box = canvas.getBoundingClientRect();
return [box.x + GUTTER + 1.5 * view.scale, box.y + GUTTER + 0.5 * view.scale];
"""
_UNDER_THE_POINTER = "return String(cellAt(toPlot({clientX: arguments[0], clientY: arguments[1]})))"


@pytest.fixture(scope="module")
def shown() -> Iterator[Page]:
    with browser("about:blank") as page:
        yield page


def open_page(page: Page, path: Path) -> Page:
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1200, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    page.driver.get(path.as_uri())
    page.wait(lambda: page.run("return document.readyState") == "complete" and page.text("#title"))
    return page


def get_scale(page: Page) -> float:
    """Return the size of a cell in px."""
    return float(page.run("return view.scale"))


@in_browser
@pytest.mark.browser
def test_many_labels_open_within_a_second(shown: Page, tmp_path: Path) -> None:
    page = open_page(shown, write_page(tmp_path, evaluate(AKSHARAS, {(i, (i * 7 + 1) % 657): 4 for i in range(657)})))
    painted = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    page.wait(lambda: page.run(painted))
    assert page.run(painted) < 1000
    assert page.run("const begin = performance.now(); draw(); return performance.now() - begin") < 200
    assert len(page.all("#pairs button")) == 200 and "200 most frequent of 65" in page.text("#listed")
    colors = page.run(
        "const data = pen.getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();"
        "for (let i = 0; i < data.length; i += 4) seen.add(data[i] * 256 + data[i + 1]); return seen.size"
    )
    assert colors > 20 and page.complaints() == []


@in_browser
@pytest.mark.browser
def test_pointing_describes_a_cell_the_wheel_zooms_and_dragging_pans(shown: Page, tmp_path: Path) -> None:
    page = open_page(shown, write_page(tmp_path, evaluate(tuple("ಅಆಇಈಉಊಎಏಐಒ"), {(0, 1): 3})))
    x, y = page.run(_SECOND_OF_THE_FIRST_ROW)
    place = {"x": x, "y": y}
    page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **place})
    page.wait(lambda: page.text("#selection") == "true ಅ → predicted ಆ: 3 of 15 (20 %)")
    assert page.text("#tip") == page.text("#selection")
    before = get_scale(page)
    page.driver.execute_cdp_cmd(
        "Input.dispatchMouseEvent", {"type": "mouseWheel", **place, "deltaX": 0, "deltaY": -300}
    )
    page.wait(lambda: get_scale(page) > before)
    assert page.run(_UNDER_THE_POINTER, x, y) == "0,1"
    held, left = {"button": "left", "buttons": 1, "clickCount": 1}, page.run("return view.x")
    for kind, shift in (("mousePressed", 0), ("mouseMoved", -40), ("mouseReleased", -40)):
        page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **held, "x": x + shift, "y": y})
    page.wait(lambda: page.run("return view.x") < left)
    page.find("#whole").click()
    page.wait(lambda: get_scale(page) == pytest.approx(before))
    page.find("#closer").click()
    page.wait(lambda: get_scale(page) > before)


@in_browser
@pytest.mark.browser
def test_two_fingers_zoom(shown: Page, tmp_path: Path) -> None:
    page = open_page(shown, write_page(tmp_path, evaluate(tuple("ಅಆಇಈಉಊಎಏಐಒ"), {(0, 1): 3})))
    x, y = page.run(_SECOND_OF_THE_FIRST_ROW)
    before = get_scale(page)

    def touch(kind: str, *apart: float) -> None:
        fingers = [{"x": x + side, "y": y, "id": i} for i, side in enumerate(apart)]
        page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", -20.0, 20.0)
    touch("touchMove", -25.0, 25.0)
    page.wait(lambda: get_scale(page) == pytest.approx(before * 1.25))
    assert page.run(_UNDER_THE_POINTER, x, y) == "0,1"
    touch("touchEnd")


@in_browser
@pytest.mark.browser
def test_keys_alone_reach_everything(shown: Page, tmp_path: Path) -> None:
    page = open_page(shown, write_page(tmp_path, evaluate(AKSHARAS, {(5, 9): 6, (600, 3): 2})))
    first, second = (pair.text for pair in page.all("#pairs button"))
    assert AKSHARAS[5] in first and "6 of 15 (40 %)" in first and AKSHARAS[600] in second
    page.run("document.querySelector('#pairs button').focus()")
    page.wait(lambda: page.text("#selection") == f"true {AKSHARAS[5]} → predicted {AKSHARAS[9]}: 6 of 15 (40 %)")
    assert get_scale(page) >= 30
    ActionChains(page.driver).send_keys(Keys.ARROW_DOWN).perform()
    page.wait(lambda: "2 of 15 (13.3 %)" in page.text("#selection"))
    assert page.find("[aria-current]").text == second
    page.find("#matrix").send_keys(Keys.ARROW_RIGHT)
    page.wait(lambda: page.text("#selection") == f"true {AKSHARAS[600]} → predicted {AKSHARAS[600]}: 13 of 15 (86.7 %)")
    page.find("#matrix").send_keys("0")
    page.wait(lambda: get_scale(page) < 2)
    assert page.nameless() == []


@in_browser
@pytest.mark.browser
def test_labels_that_look_like_markup_are_shown_as_they_are(shown: Page, tmp_path: Path) -> None:
    title = f"{HOSTILE[0]} on {HOSTILE[1]}"
    page = open_page(shown, write_page(tmp_path, evaluate(HOSTILE, {(0, 1): 3, (2, 3): 2}), title))
    assert page.text("#title") == title == page.driver.title and not page.all("img")
    assert f"{HOSTILE[0]} → {HOSTILE[1]}" in page.text("#pairs").replace("\n", "")
    page.find("#pairs button").click()
    page.wait(lambda: page.text("#selection") == f"true {HOSTILE[0]} → predicted {HOSTILE[1]}: 3 of 15 (20 %)")
    assert page.driver.title == title and page.complaints() == []


@in_browser
@pytest.mark.browser
def test_it_follows_the_systems_dark_mode(shown: Page, tmp_path: Path) -> None:
    page = open_page(shown, write_page(tmp_path, evaluate(("a", "b"), {(0, 1): 3})))
    ground = "const [r, g, b] = pen.getImageData(2, 2, 1, 1).data; return r + g + b"
    assert page.run(ground) > 600
    page.prefer("dark")
    page.wait(lambda: page.run(ground) < 150)
    page.prefer("light")
    page.wait(lambda: page.run(ground) > 600)


@in_browser
@pytest.mark.browser
def test_mistakes_that_are_too_many_to_list_are_not_denied(shown: Page, tmp_path: Path) -> None:
    labels = tuple(f"{chr(0xC95)}{chr(0xCBE)}{i}" for i in range(12_000))
    page = open_page(shown, write_page(tmp_path, evaluate(labels, {(i, i + 1): 1 for i in range(11_000)}, each=2)))
    assert "None is listed: there are too many mistakes" in page.text("#listed")
    assert "Left out: 11,000 cells of one drawing each." in page.text("#about")


@in_browser
@pytest.mark.browser
def test_without_mistakes_it_says_so(shown: Page, tmp_path: Path) -> None:
    page = open_page(shown, write_page(tmp_path, evaluate(("a", "b"), {})))
    assert page.text("#listed") == "No drawing was taken for another label." and not page.all("#pairs button")
