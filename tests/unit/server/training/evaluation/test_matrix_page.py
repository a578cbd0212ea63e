"""The matrix to zoom into: complete, small, harmless whatever labels are, and usable with a mouse or with keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.training.evaluation.answers import Answers, Space
from haleganada_server.training.evaluation.matrix_page import confusion_page
from haleganada_server.training.evaluation.metrics import Measured
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Page, browser, missing

in_browser = pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed")
EACH = 15
MARKUP = ("<img src=x onerror=document.title=1>", "</script><script>document.title=2</script>")
HOSTILE = (*MARKUP, "{{script}}", "&lt;", "\u2028x")
AKSHARAS = tuple(chr(0xC95 + i // 14 % 36) + "\u0ccd" * (i >= 504) + chr(0xCBE + i % 14) for i in range(657))


def measured(labels: tuple[str, ...], wrong: dict[tuple[int, int], int], each: int = EACH) -> Measured:
    """Each label was drawn so often; wrong: how many drawings of one were taken for another."""
    truth = np.repeat(np.arange(len(labels)), each).astype(np.int32)
    top = np.full((len(truth), 5), -1, np.int32)
    top[:, 0] = truth
    begin = {row: row * each for row, _ in wrong}
    for (row, column), count in wrong.items():
        top[begin[row] : begin[row] + count, 0] = column
        begin[row] += count
    answers = Answers(top, np.full(len(truth), 0.9), np.ones(len(truth)))
    return Measured(Space(labels, len(labels)), truth, np.arange(len(truth)), answers)


def only(of: Measured, drawings: int) -> Measured:
    """The first ones."""
    told = of.answers
    answers = Answers(told.top[:drawings], told.confidence[:drawings], told.known[:drawings])
    return Measured(of.space, of.truth[:drawings], of.items[:drawings], answers)


def written(folder: Path, of: Measured, title: str = "mine on letters") -> Path:
    path = folder / "confusion_matrix.html"
    confusion_page(path, of, title, "Test part.")
    return path


def data_in(path: Path) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S)
    (text,) = found
    told: dict[str, Any] = json.loads(text)
    return told


def test_only_cells_with_something_in_them_are_there(tmp_path: Path) -> None:
    told = data_in(written(tmp_path, measured(("ಅ", "ಆ", "ಇ"), {(0, 1): 3, (0, 2): 1})))
    cells = {tuple(told["cells"][i : i + 3]) for i in range(0, len(told["cells"]), 3)}
    assert cells == {(0, 0, 11), (0, 1, 3), (0, 2, 1), (1, 1, 15), (2, 2, 15)}
    assert (told["labels"], told["totals"], told["left_out"]) == (["ಅ", "ಆ", "ಇ"], [15, 15, 15], 0)


def test_labels_that_were_only_answered_are_there_and_others_not(tmp_path: Path) -> None:
    of = measured(("a", "b", "c", "d"), {(0, 3): 15})
    told = data_in(written(tmp_path, only(of, 30)))
    assert (told["labels"], told["totals"], told["cells"]) == (["a", "b", "d"], [15, 15, 0], [1, 1, 15, 0, 2, 15])


def test_it_stays_small_and_leaves_out_the_rarest(tmp_path: Path) -> None:
    small = written(tmp_path, measured(AKSHARAS, {(i, (i * 7 + 1) % 657): 4 for i in range(657)}))
    assert small.stat().st_size < 100_000 and data_in(small)["left_out"] == 0
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(657), 300).astype(np.int32)
    top = np.where(rng.random(len(truth)) < 0.5, truth, rng.integers(0, 657, len(truth)))[:, None].astype(np.int32)
    answers = Answers(top, np.full(len(truth), 0.9), np.ones(len(truth)))
    large = written(tmp_path, Measured(Space(AKSHARAS, 657), truth, np.arange(len(truth)), answers))
    told = data_in(large)
    cells = [tuple(told["cells"][i : i + 3]) for i in range(0, len(told["cells"]), 3)]
    assert large.stat().st_size < 500_000 and told["totals"] == [300] * 657
    pairs, counts = np.unique(truth * 657 + top[:, 0], return_counts=True)
    rarer = (pairs // 657 != pairs % 657) & (counts <= told["rarest"])
    assert told["rarest"] == 1 and told["left_out"] == rarer.sum() > 10_000
    expected = zip(pairs[~rarer] // 657, pairs[~rarer] % 657, counts[~rarer], strict=True)
    assert set(cells) == {(int(row), int(column), int(count)) for row, column, count in expected}


def test_no_label_is_markup(tmp_path: Path) -> None:
    path = written(tmp_path, measured(HOSTILE, {(0, 1): 3}), f"{HOSTILE[0]} on {HOSTILE[1]}")
    text = path.read_text("utf-8")
    assert "<img" not in text and text.count("</script>") == 2 and "document.title=2<" not in text
    assert data_in(path)["labels"] == list(HOSTILE)
    assert not re.search(r"https?://|\son\w+=[\"']|src=[\"']|@import|url\(", text)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy and "default-src 'none'" in policy[1] and "unsafe" not in policy[1]


_SECOND_OF_THE_FIRST_ROW = """
const box = canvas.getBoundingClientRect();
return [box.x + GUTTER + 1.5 * view.scale, box.y + GUTTER + 0.5 * view.scale];
"""
_UNDER_THE_POINTER = "return String(cellAt(place({clientX: arguments[0], clientY: arguments[1]})))"


@pytest.fixture(scope="module")
def shown() -> Iterator[Page]:
    with browser("about:blank") as page:
        yield page


def opened(page: Page, path: Path) -> Page:
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1200, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    page.driver.get(path.as_uri())
    page.wait(lambda: page.run("return document.readyState") == "complete" and page.text("#title"))
    return page


def scale(page: Page) -> float:
    """px of a cell."""
    return float(page.run("return view.scale"))


@in_browser
@pytest.mark.browser
def test_many_labels_open_within_a_second(shown: Page, tmp_path: Path) -> None:
    page = opened(shown, written(tmp_path, measured(AKSHARAS, {(i, (i * 7 + 1) % 657): 4 for i in range(657)})))
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
def test_pointing_tells_and_the_wheel_zooms_and_dragging_pans(shown: Page, tmp_path: Path) -> None:
    page = opened(shown, written(tmp_path, measured(tuple("ಅಆಇಈಉಊಎಏಐಒ"), {(0, 1): 3})))
    x, y = page.run(_SECOND_OF_THE_FIRST_ROW)
    place = {"x": x, "y": y}
    page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **place})
    page.wait(lambda: page.text("#told") == "true ಅ → read as ಆ: 3 of 15 (20 %)")
    assert page.text("#tip") == page.text("#told")
    before = scale(page)
    page.driver.execute_cdp_cmd(
        "Input.dispatchMouseEvent", {"type": "mouseWheel", **place, "deltaX": 0, "deltaY": -300}
    )
    page.wait(lambda: scale(page) > before)
    assert page.run(_UNDER_THE_POINTER, x, y) == "0,1"
    held, left = {"button": "left", "buttons": 1, "clickCount": 1}, page.run("return view.x")
    for kind, shift in (("mousePressed", 0), ("mouseMoved", -40), ("mouseReleased", -40)):
        page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **held, "x": x + shift, "y": y})
    page.wait(lambda: page.run("return view.x") < left)
    page.find("#whole").click()
    page.wait(lambda: scale(page) == pytest.approx(before))
    page.find("#closer").click()
    page.wait(lambda: scale(page) > before)


@in_browser
@pytest.mark.browser
def test_two_fingers_zoom(shown: Page, tmp_path: Path) -> None:
    page = opened(shown, written(tmp_path, measured(tuple("ಅಆಇಈಉಊಎಏಐಒ"), {(0, 1): 3})))
    x, y = page.run(_SECOND_OF_THE_FIRST_ROW)
    before = scale(page)

    def touch(kind: str, *apart: float) -> None:
        fingers = [{"x": x + side, "y": y, "id": i} for i, side in enumerate(apart)]
        page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", -20.0, 20.0)
    touch("touchMove", -25.0, 25.0)
    page.wait(lambda: scale(page) == pytest.approx(before * 1.25))
    assert page.run(_UNDER_THE_POINTER, x, y) == "0,1"
    touch("touchEnd")


@in_browser
@pytest.mark.browser
def test_keys_alone_reach_everything(shown: Page, tmp_path: Path) -> None:
    page = opened(shown, written(tmp_path, measured(AKSHARAS, {(5, 9): 6, (600, 3): 2})))
    first, second = (pair.text for pair in page.all("#pairs button"))
    assert AKSHARAS[5] in first and "6 of 15 (40 %)" in first and AKSHARAS[600] in second
    page.run("document.querySelector('#pairs button').focus()")
    page.wait(lambda: page.text("#told") == f"true {AKSHARAS[5]} → read as {AKSHARAS[9]}: 6 of 15 (40 %)")
    assert scale(page) >= 30
    ActionChains(page.driver).send_keys(Keys.ARROW_DOWN).perform()
    page.wait(lambda: "2 of 15 (13.3 %)" in page.text("#told"))
    assert page.find("[aria-current]").text == second
    page.find("#matrix").send_keys(Keys.ARROW_RIGHT)
    page.wait(lambda: page.text("#told") == f"true {AKSHARAS[600]} → read as {AKSHARAS[600]}: 13 of 15 (86.7 %)")
    page.find("#matrix").send_keys("0")
    page.wait(lambda: scale(page) < 2)
    assert page.nameless() == []


@in_browser
@pytest.mark.browser
def test_labels_that_look_like_markup_are_shown_as_they_are(shown: Page, tmp_path: Path) -> None:
    title = f"{HOSTILE[0]} on {HOSTILE[1]}"
    page = opened(shown, written(tmp_path, measured(HOSTILE, {(0, 1): 3, (2, 3): 2}), title))
    assert page.text("#title") == title == page.driver.title and not page.all("img")
    assert f"{HOSTILE[0]} → {HOSTILE[1]}" in page.text("#pairs").replace("\n", "")
    page.find("#pairs button").click()
    page.wait(lambda: page.text("#told") == f"true {HOSTILE[0]} → read as {HOSTILE[1]}: 3 of 15 (20 %)")
    assert page.driver.title == title and page.complaints() == []


@in_browser
@pytest.mark.browser
def test_it_is_dark_where_the_system_is(shown: Page, tmp_path: Path) -> None:
    page = opened(shown, written(tmp_path, measured(("a", "b"), {(0, 1): 3})))
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
    page = opened(shown, written(tmp_path, measured(labels, {(i, i + 1): 1 for i in range(11_000)}, each=2)))
    assert "None is listed: mistakes are too many" in page.text("#listed")
    assert "Left out: 11,000 cells of one drawing each." in page.text("#about")


@in_browser
@pytest.mark.browser
def test_without_mistakes_it_says_so(shown: Page, tmp_path: Path) -> None:
    page = opened(shown, written(tmp_path, measured(("a", "b"), {})))
    assert page.text("#listed") == "No drawing was taken for another label." and not page.all("#pairs button")
