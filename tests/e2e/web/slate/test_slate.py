"""The slate: Undo and Redo on any keyboard, pens with buttons, interrupted strokes, and what outlives a reload."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium.webdriver.common.keys import Keys

from tests.e2e.web.browser import BAR, Page, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
DASH = [[(0.2, 0.5), (0.8, 0.5)]]


@pytest.fixture
def fresh(opened: Page) -> Page:
    """The page as on a first visit, with an empty workspace; window.sent are the drawings that it sends."""
    opened.complaints()
    opened.open_afresh()
    opened.run(_LISTEN)
    return opened


_LISTEN = """
window.sent = [];
const plain = window.fetch;
window.fetch = (address, options = {}) => {
  if (/predict|train|correct/.test(address)) sent.push(JSON.parse(options.body));
  return plain(address, options);
};
"""


def press(fresh: Page, key: str, code: str, *, shift: bool = False, command: str = "ctrlKey") -> None:
    """Press a key on the slate, as a keyboard of any layout reports it."""
    fresh.run(
        """const [key, code, shiftKey, command] = arguments;
        const init = {key, code, shiftKey, [command]: true, bubbles: true, cancelable: true};
        document.getElementById("board").dispatchEvent(new KeyboardEvent("keydown", init));""",
        key, code, shift, command,
    )  # fmt: skip


def point(fresh: Page, kind: str, x: float, y: float, **facts: Any) -> None:
    """Let a pointer do something at a place of the slate, 0..1 of its side. facts: of the event, beyond a finger's."""
    fresh.run(
        """const [kind, x, y, facts] = arguments, board = document.getElementById("board");
        const box = board.getBoundingClientRect();
        const init = {pointerId: 7, pointerType: "touch", button: kind === "pointermove" ? -1 : 0, buttons: 1,
                      clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true, ...facts};
        board.dispatchEvent(new PointerEvent(kind, init));""",
        kind, x, y, facts,
    )  # fmt: skip


def strokes(fresh: Page) -> int:
    """How many strokes are on the slate, as the tab keeps them for a reload."""
    return int(fresh.run("return JSON.parse(sessionStorage.getItem('drawing')).strokes.length"))


def last_sent(fresh: Page) -> list[dict[str, list[float]]]:
    """The strokes that were sent last."""
    found: list[dict[str, list[float]]] = fresh.run("return sent.at(-1).ink.strokes")
    return found


def is_inked(fresh: Page, x: float, y: float) -> bool:
    """Return whether there is chalk at a place of the slate, 0..1 of its side."""
    script = """const board = document.getElementById("board");
    const [x, y] = [...arguments].map((share) => Math.round(share * (board.width - 1)));
    return board.getContext("2d").getImageData(x, y, 1, 1).data[3] > 0;"""
    return bool(fresh.run(script, x, y))


# Undo and Redo

UNDO = [
    ("z", "KeyZ"), ("Z", "KeyZ"), ("z", "KeyW"), ("z", "KeyY"),  # QWERTY, caps lock, AZERTY, QWERTZ
    ("я", "KeyZ"), ("ಎ", "KeyZ"), ("ั", "KeyZ"), ("ז", "KeyZ"), ("ζ", "KeyZ"), ("ئ", "KeyZ"), ("Dead", "KeyZ"),
]  # fmt: skip
NO_UNDO = [("w", "KeyZ"), ("y", "KeyZ"), (";", "KeyZ"), ("à", "KeyZ"), ("ц", "KeyW"), ("a", "KeyQ")]
REDO = [
    ("z", "KeyZ", True), ("y", "KeyY", False), ("Z", "KeyW", True), ("y", "KeyZ", False),
    ("Я", "KeyZ", True), ("н", "KeyY", False), ("ಐ", "KeyZ", True), ("(", "KeyZ", True), ("ั", "KeyY", False),
]  # fmt: skip


def test_undo_and_redo_on_any_keyboard(fresh: Page) -> None:
    commands = itertools.cycle(["ctrlKey", "metaKey"])
    for (key, code), command in zip(UNDO, commands, strict=False):
        fresh.draw(DASH)
        assert strokes(fresh) == 1
        press(fresh, key, code, command=command)
        assert strokes(fresh) == 0, (key, code)
    for (key, code, shift), command in zip(REDO, commands, strict=False):
        press(fresh, key, code, shift=shift, command=command)
        assert strokes(fresh) == 1, (key, code)
        press(fresh, "z", "KeyZ", command=command)
    fresh.draw(DASH)
    for (key, code), command in zip(NO_UNDO, commands, strict=False):
        press(fresh, key, code, command=command)
        assert strokes(fresh) == 1, (key, code)


def test_the_buttons_and_what_they_bring_back(fresh: Page) -> None:
    assert not fresh.find("#undo-stroke").is_enabled() and not fresh.find("#redo-stroke").is_enabled()
    fresh.draw_by_mouse([*BAR, *DASH])
    fresh.press("#clear")
    assert not is_inked(fresh, 0.5, 0.3)
    fresh.press("#undo-stroke")
    assert is_inked(fresh, 0.5, 0.3) and is_inked(fresh, 0.3, 0.5)
    fresh.press("#undo-stroke")
    assert is_inked(fresh, 0.5, 0.3) and not is_inked(fresh, 0.3, 0.5)
    fresh.press("#redo-stroke")
    assert is_inked(fresh, 0.3, 0.5)
    fresh.draw([[(0.1, 0.1), (0.2, 0.1)]])  # what was undone is gone
    assert not fresh.find("#redo-stroke").is_enabled()
    assert fresh.text("#undo-stroke") == "Undo" and fresh.find("#redo-stroke").accessible_name == "Redo"


def test_the_redo_keys_never_take_a_lesson_back(fresh: Page) -> None:
    fresh.draw(BAR)
    fresh.teach("l")
    fresh.wait_for("#count", "1")
    for _ in range(3):
        fresh.find("#board").send_keys(Keys.CONTROL + Keys.SHIFT + "z")
        fresh.find("#board").send_keys(Keys.CONTROL + "y")
    fresh.open()
    fresh.wait_for("#count", "1")


def test_a_picture_under_a_stroke_comes_back(fresh: Page, tmp_path: Path) -> None:
    show_picture(fresh, tmp_path)
    assert is_inked(fresh, 0.1, 0.9)
    fresh.draw(DASH)
    assert not is_inked(fresh, 0.1, 0.9)
    fresh.press("#undo-stroke")
    assert is_inked(fresh, 0.1, 0.9)
    fresh.wait(lambda: fresh.run("return 'image' in sent.at(-1)"))


def show_picture(fresh: Page, folder: Path) -> None:
    Image.new("RGB", (40, 40), "black").save(folder / "dark.png")
    fresh.find("#file").send_keys(str(folder / "dark.png"))
    fresh.wait(lambda: is_inked(fresh, 0.1, 0.9))


# Strokes that something interrupts


@pytest.mark.parametrize("interruption", ["undo", "clear", "picture", "redo"])
def test_what_ends_a_stroke_under_way_ends_it_on_the_slate(fresh: Page, interruption: str, tmp_path: Path) -> None:
    if interruption == "redo":
        fresh.draw(BAR)
        fresh.press("#undo-stroke")
    point(fresh, "pointerdown", 0.2, 0.3)
    point(fresh, "pointermove", 0.4, 0.3)
    if interruption == "picture":
        show_picture(fresh, tmp_path)
    elif interruption == "clear":
        fresh.run("document.getElementById('clear').click()")
    else:
        press(fresh, "z", "KeyZ", shift=interruption == "redo")
    point(fresh, "pointermove", 0.6, 0.3)  # the finger is still there
    point(fresh, "pointermove", 0.8, 0.3)
    point(fresh, "pointerup", 0.8, 0.3)
    stays = interruption == "redo"  # there is nothing to redo after a new stroke, which then stays as it was
    assert strokes(fresh) == int(stays)
    if interruption != "picture":
        assert is_inked(fresh, 0.3, 0.3) == stays and not is_inked(fresh, 0.7, 0.3)


def test_teaching_in_the_middle_of_a_stroke_sends_what_is_seen(fresh: Page) -> None:
    fresh.find("#label").send_keys("l")
    point(fresh, "pointerdown", 0.2, 0.3)
    point(fresh, "pointermove", 0.4, 0.3)
    fresh.run("document.getElementById('teach').requestSubmit()")
    point(fresh, "pointermove", 0.8, 0.3)
    assert not is_inked(fresh, 0.7, 0.3)
    fresh.wait_for("#status", "Learned l")
    assert not is_inked(fresh, 0.3, 0.3) and strokes(fresh) == 0
    assert max(fresh.run("return sent.find((one) => one.label).ink.strokes[0].x")) < 0.5 * fresh.run(
        "return document.getElementById('board').clientWidth"
    )


def test_a_second_finger_and_a_lost_pointer(fresh: Page) -> None:
    point(fresh, "pointerdown", 0.2, 0.3)
    point(fresh, "pointerdown", 0.2, 0.8, pointerId=8)
    point(fresh, "pointermove", 0.6, 0.8, pointerId=8)
    point(fresh, "pointermove", 0.6, 0.3)
    assert is_inked(fresh, 0.4, 0.3) and not is_inked(fresh, 0.4, 0.8)
    point(fresh, "pointercancel", 0.6, 0.3)
    fresh.wait(lambda: fresh.run("return sent.length"))
    assert len(last_sent(fresh)) == 1
    point(fresh, "pointerdown", 0.2, 0.5)  # whose up never comes
    point(fresh, "pointermove", 0.3, 0.5)
    point(fresh, "pointerdown", 0.2, 0.7)
    point(fresh, "pointermove", 0.6, 0.7)
    point(fresh, "pointerup", 0.6, 0.7)
    assert strokes(fresh) == 3 and is_inked(fresh, 0.4, 0.7)
    point(fresh, "pointerdown", 0.2, 0.9, pointerType="mouse")
    point(fresh, "pointermove", 0.3, 0.9, pointerType="mouse", buttons=0)  # it was let go elsewhere
    point(fresh, "pointermove", 0.8, 0.9, pointerType="mouse", buttons=0)
    assert not is_inked(fresh, 0.6, 0.9)


# Pens


@pytest.mark.parametrize(
    ("kind", "button", "buttons"),
    [("pen", 2, 2), ("pen", 5, 32), ("pen", 0, 3), ("pen", 0, 33), ("pen", 1, 4), ("mouse", 2, 2), ("mouse", 1, 4)],
)
def test_no_other_button_draws(fresh: Page, kind: str, button: int, buttons: int) -> None:
    facts = {"pointerType": kind, "buttons": buttons}
    point(fresh, "pointerdown", 0.2, 0.5, button=button, **facts)
    for x in (0.4, 0.6, 0.8):
        point(fresh, "pointermove", x, 0.5, **facts)
    point(fresh, "pointerup", 0.8, 0.5, button=button, pointerType=kind, buttons=0)
    assert not is_inked(fresh, 0.5, 0.5) and not fresh.find("#clear").is_enabled()
    point(fresh, "pointerdown", 0.2, 0.3, pointerType="pen", pressure=0.5)  # and the tip draws after it
    point(fresh, "pointermove", 0.4, 0.3, pointerType="pen", pressure=0.5)
    point(fresh, "pointermove", 0.8, 0.3, pointerType="pen", buttons=3)  # until the barrel button is pressed
    point(fresh, "pointerup", 0.8, 0.3, pointerType="pen", buttons=0)
    assert is_inked(fresh, 0.3, 0.3) and not is_inked(fresh, 0.6, 0.3)
    fresh.wait(lambda: fresh.run("return sent.length"))
    assert fresh.run("return sent.length") == 1 and last_sent(fresh)[0]["pressure"] == [0.5, 0.5]


def test_the_eraser_takes_the_strokes_that_it_touches(fresh: Page) -> None:
    fresh.draw_by_mouse([*DASH, [(0.2, 0.2), (0.8, 0.2)]])
    eraser = {"pointerType": "pen", "buttons": 32}
    point(fresh, "pointerdown", 0.5, 0.7, button=5, **eraser)
    point(fresh, "pointermove", 0.5, 0.51, **eraser)
    point(fresh, "pointerup", 0.5, 0.5, button=5, pointerType="pen", buttons=0)
    assert not is_inked(fresh, 0.3, 0.5) and is_inked(fresh, 0.3, 0.2)
    fresh.wait(lambda: fresh.run("return sent.length") and len(last_sent(fresh)) == 1)
    fresh.press("#undo-stroke")
    assert is_inked(fresh, 0.3, 0.5)


# What is seen, sent and kept


def test_strokes_are_seen_smooth_and_sent_as_they_were(fresh: Page) -> None:
    side = fresh.run("return document.getElementById('board').clientWidth")
    arc = [(0.2, 0.5), (0.5, 0.2), (0.8, 0.5)]
    point(fresh, "pointerdown", *arc[0])
    for place in arc[1:]:
        point(fresh, "pointermove", *place)
    point(fresh, "pointerup", *arc[-1])
    fresh.wait(lambda: fresh.run("return sent.length"))
    (stroke,) = last_sent(fresh)
    sent = list(zip(stroke["x"], stroke["y"], strict=True))
    assert sent == [pytest.approx((x * side, y * side), abs=1) for x, y in arc]
    assert all(is_inked(fresh, x, y) for x, y in arc)
    assert is_inked(fresh, 0.3125, 0.35) and not is_inked(fresh, 0.35, 0.35)  # a bow, where there is no line


def test_the_drawing_and_the_tab_outlive_a_reload_and_back(fresh: Page) -> None:
    fresh.draw_by_mouse([*BAR, *DASH])
    fresh.find("#tab-keep").click()
    fresh.driver.refresh()
    fresh.wait(lambda: fresh.all("#save"))
    assert is_inked(fresh, 0.5, 0.3) and is_inked(fresh, 0.3, 0.5)
    assert fresh.kind() == "nothing_taught"
    fresh.find("#to-models").click()
    fresh.wait(lambda: fresh.all("#view .view"))
    fresh.driver.back()
    fresh.wait(lambda: fresh.all("#save"))
    assert fresh.find("#tab-keep").get_attribute("aria-selected") == "true" and is_inked(fresh, 0.3, 0.5)
    fresh.open(420, 900)  # another size
    assert is_inked(fresh, 0.5, 0.3) and is_inked(fresh, 0.3, 0.5)
    fresh.teach("x")
    fresh.driver.refresh()
    fresh.wait_for("#count", "1")
    assert not is_inked(fresh, 0.5, 0.3)
    assert not fresh.complaints()


def test_another_workspace_has_no_drawing_of_the_first(fresh: Page) -> None:
    fresh.draw(BAR)
    fresh.find("#tab-keep").click()
    fresh.open_afresh()
    assert not is_inked(fresh, 0.5, 0.3)
    assert fresh.find("#tab-gallery").get_attribute("aria-selected") == "true"


def test_a_pen_by_keys_is_lifted_when_something_else_changes_the_slate(fresh: Page, tmp_path: Path) -> None:
    fresh.find("#board").send_keys(Keys.SPACE, Keys.ARROW_RIGHT)
    show_picture(fresh, tmp_path)
    assert "down" not in (fresh.find("#cursor").get_attribute("class") or "").split()
    fresh.find("#board").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert strokes(fresh) == 0
