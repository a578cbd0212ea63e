"""The page in a real browser: draw, teach, recognize, correct, undo, reset; mouse, finger, keyboard and pictures."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest
from haleganada_client.cli.formatting import format_percent
from PIL import Image, ImageDraw
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.handwriting import write_letter
from tests.e2e.web.browser import BAR, CROSS, Page, missing
from tests.support.datasets import folders_of, write_zip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]


def teach_two(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.draw(BAR)
    fresh.teach("l")
    fresh.wait_for("#count", "2")
    fresh.wait(lambda: len(fresh.all("#gallery .group")) == 2)


def press_in_row(page: Page, part: str, selector: str) -> None:
    """Click a button in the row of the list of snapshots whose text contains a part; the list may be redrawn."""

    def try_to() -> bool:
        row = next((row for row in page.all("#keep .kept li") if part in row.text), None)
        if row is not None:
            row.find_element("css selector", selector).click()
        return row is not None

    page.wait(try_to)


# Teaching and recognizing


def test_the_first_minute(fresh: Page) -> None:
    fresh.wait_for("#decision", "Teach me a character")  # after the answers to four calls
    assert [step.text for step in fresh.all("#steps li")] == ["Draw a character.", "Say what it is.", "Draw it again."]
    fresh.draw_by_mouse(write_letter("ಅ", 1))
    assert fresh.kind() == "nothing_taught" and not fresh.all("#candidates button")
    fresh.teach("ಅ")
    fresh.draw_by_mouse(write_letter("ಅ", 2))
    assert fresh.forms() == ["ಅ"]
    assert "U+0C85" in fresh.text("#candidates") and "%" in fresh.text("#candidates")
    assert not fresh.complaints()


def test_correct_with_one_click_and_take_it_back(fresh: Page) -> None:
    teach_two(fresh)
    fresh.draw(CROSS)
    assert fresh.kind() == "recognized" and fresh.text("#tile") == "x"
    assert fresh.forms() == ["x", "l"]
    fresh.all("#candidates button")[1].click()  # no: it is the second one
    fresh.wait_for("#status", "Learned l")
    fresh.wait_for("#count", "3")
    assert fresh.find("#undo-stroke").is_enabled()
    fresh.press("#take-back")
    fresh.wait_for("#status", "l is taken back.")
    fresh.wait_for("#count", "2")
    assert fresh.forms()[0] == "x"  # the slate has its drawing back
    assert not fresh.complaints()


def test_teach_again_with_a_chip(fresh: Page) -> None:
    teach_two(fresh)
    assert not any(chip.is_enabled() for chip in fresh.all("#recent button"))
    fresh.draw(BAR)
    next(chip for chip in fresh.all("#recent button") if chip.text == "l").click()
    fresh.wait_for("#count", "3")


def test_forms_of_a_letter(fresh: Page) -> None:
    teach_two(fresh)
    fresh.draw([[(0.2, 0.8), (0.5, 0.2), (0.8, 0.8), (0.25, 0.8)]])
    fresh.press("#is-form")
    fresh.run("document.getElementById('canonical').value = 'x'")
    fresh.teach("triangle")
    fresh.draw([[(0.2, 0.8), (0.5, 0.2), (0.8, 0.8), (0.25, 0.8)]])
    assert fresh.kind() and fresh.text("#decision") == "This is triangle, a form of x"
    assert not fresh.find("#is-form").is_selected()


def test_a_form_that_says_something_else_is_warned_of_before_it_is_taught(fresh: Page) -> None:
    teach_two(fresh)
    fresh.run("document.getElementById('label').value = ''")
    fresh.find("#label").send_keys("a")
    assert not fresh.text("#form-warning")
    fresh.press("#is-form")
    fresh.find("#canonical option[value=l]").click()
    fresh.wait_for("#form-warning", "Drawings of a will then count as l, which is different text")
    fresh.find("#label").send_keys(" stroke")  # a word beside a letter is a name of a form
    fresh.wait(lambda: not fresh.text("#form-warning"))
    assert not fresh.complaints()


def test_the_tools_stand_in_one_row(fresh: Page) -> None:
    for language in ("kn", "en"):
        fresh.choose_language(language)
        for width in (1280, 1024):
            fresh.resize(width, 1000)
            middles = fresh.run(
                """return [...document.querySelectorAll(".tools > *")].filter((one) => one.offsetParent)
                  .map((one) => one.getBoundingClientRect()).map(({top, bottom}) => (top + bottom) / 2)"""
            )
            assert len(middles) > 3 and max(middles) - min(middles) < 8, (language, width)


def test_an_import_says_how_folders_named_by_numbers_are_read(fresh: Page, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "letters.zip", folders_of(("40", "65"), 1))
    fresh.press("#tab-keep")
    fresh.wait(lambda: fresh.all("#import"))
    fresh.find("#import").send_keys(str(path))
    fresh.wait_for("#status", "class numbers")
    fresh.find("#import-folder-names option[value=text]").click()
    fresh.find("#import").send_keys(str(path))
    fresh.wait_for("#count", "2")
    assert {form.text for form in fresh.all("#recent button")} == {"40", "65"}
    fresh.complaints()  # the browser notes the refusal


def test_kannada_letters_to_click(fresh: Page) -> None:
    fresh.press("#letters")
    for letter in ("ಕ", "◌ಿ"):
        next(key for key in fresh.all("#palette button") if key.text == letter).click()
    assert fresh.find("#label").get_attribute("value") == "ಕಿ"


def test_nothing_drawn_is_not_taught(fresh: Page) -> None:
    fresh.find("#label").send_keys("x", Keys.ENTER)
    fresh.wait_for("#status", "draw something first")


def test_a_label_that_is_refused_keeps_the_drawing(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.run("document.getElementById('label').value = '\\u202e'")
    fresh.press("#teach-button")
    fresh.wait_for("#status", "That did not work")
    assert "1 to 64 characters" in fresh.text("#status") and "label:" not in fresh.text("#status")
    assert fresh.find("#clear").is_enabled()
    fresh.choose_language("kn")
    fresh.wait(lambda: not fresh.text("#status"))  # what was said in the other language is gone
    fresh.press("#teach-button")
    fresh.wait_for("#status", "ಅಕ್ಷರದ ಹೆಸರಿನಲ್ಲಿ 1ರಿಂದ 64 ಚಿಹ್ನೆಗಳಿರಬೇಕು")
    fresh.draw(BAR)
    assert not fresh.text("#status")  # nor does it stand beside the next drawing's verdict


ITEM_ERRORS = [
    ({"reason": "HAS_FORMS", "message": "“ಕ” has forms"}, "it has forms of its own", "ಇದಕ್ಕೆ ತನ್ನದೇ ರೂಪಗಳಿವೆ"),
    ({"reason": "INVALID_INPUT", "field": "glyph.image", "message": "glyph.image: is empty"}, "PNG, JPEG", "ಅಕ್ಷರ"),
    ({"reason": "INVALID_INPUT", "field": "glyph.ink.strokes", "message": "glyph.ink.strokes: …"}, "clear", "ಹಲಗೆ"),
    ({"reason": "INVALID_INPUT", "field": "file", "message": "file: is no zip"}, "is no zip", "ಈ ಕಡತವನ್ನು ಬಳಸಲಾಗದು"),
    ({"reason": "INVALID_INPUT", "field": "settings.seed", "message": "settings.seed: …"}, "a setting", "ಆಯ್ಕೆಯ"),
    ({"reason": "DIVERGED", "message": "not finite in epoch 3"}, "not finite in epoch 3", "ಕಡಿಮೆ ಕಲಿಕೆಯ ದರ"),
    ({"message": "Failed: a browser's own words"}, "Failed: a browser's own words", "Failed: a browser's own words"),
]


def test_refusals_in_the_readers_language(fresh: Page) -> None:
    for number, language in enumerate(("en", "kn")):
        fresh.choose_language(language)
        fresh.open()  # modules that are imported here are not those of the page's script, and find the language once
        for error, *parts in ITEM_ERRORS:
            said = fresh.driver.execute_async_script(_EXPLAIN, error)
            assert parts[number] in said and "glyph." not in said and "file:" not in said


_EXPLAIN = """
const [error, done] = arguments;
import("/static/server/errors.js").then(({explain}) => done(explain(error)), (failed) => done(String(failed)));
"""


def test_shares_as_the_command_line_has_them(fresh: Page) -> None:
    shares = [0, 1e-9, 0.0004, 0.0005, 0.123, 0.9994, 0.9996, 0.99999, 1]
    shown = fresh.driver.execute_async_script(_PERCENT, shares)
    assert shown == [format_percent(share) for share in shares]


_PERCENT = """
const [shares, done] = arguments;
import("/static/i18n/words.js").then(
  ({formatPercent}) => done(shares.map(formatPercent)),
  (failed) => done(String(failed)),
);
"""


def test_the_answer_comes_at_once(fresh: Page) -> None:
    """Median time from pen up to candidates on the page. The bound is for a machine that does other work too."""
    teach_two(fresh)
    waits = []
    for _ in range(10):
        fresh.run(_MEASURE)
        fresh.draw(BAR)
        fresh.wait(lambda: fresh.run("return window.answered"))
        waits.append(fresh.run("return window.answered - window.lifted"))
        fresh.press("#clear")
    print(f"pen up to answer: median {median(waits):.1f} ms")
    assert median(waits) < 150


_MEASURE = """
window.answered = 0;
const lift = () => { window.lifted = performance.now(); };
document.getElementById("board").addEventListener("pointerup", lift, {once: true, capture: true});
new MutationObserver((_, observer) => {
  if (!document.querySelector("#candidates button")) return;
  window.answered = performance.now();
  observer.disconnect();
}).observe(document.getElementById("candidates"), {childList: true});
"""

# Other ways to use it


def test_a_finger_on_a_phone(fresh: Page) -> None:
    fresh.open(360, 740, ratio=3, mobile=True)
    assert fresh.run("return document.documentElement.scrollWidth") == 360
    fresh.touch(CROSS)
    assert fresh.run("return document.getElementById('board').width") > 900  # as fine as the screen
    fresh.teach("x")
    fresh.touch(CROSS)
    assert fresh.forms() == ["x"]
    for tab in ("#tab-progress", "#tab-keep"):
        fresh.press(tab)
        fresh.wait(lambda: fresh.all("[role=tabpanel]:not([hidden]) h3"))
        assert fresh.run("return document.documentElement.scrollWidth") == 360
    assert not fresh.complaints()


def test_the_keyboard(fresh: Page) -> None:
    fresh.draw(CROSS)
    board = fresh.find("#board")
    board.send_keys(Keys.ENTER)
    fresh.driver.switch_to.active_element.send_keys("x1", Keys.ENTER)  # digits while typing choose nothing
    fresh.wait_for("#status", "Learned x1")
    fresh.draw(CROSS)
    assert fresh.forms() == ["x1"]
    board.send_keys("1")
    fresh.wait_for("#count", "2")
    board.send_keys(Keys.CONTROL + "z")  # the drawing again
    assert fresh.kind() and fresh.find("#clear").is_enabled()
    for _ in CROSS:
        board.send_keys(Keys.BACKSPACE)
    fresh.wait(lambda: not fresh.find("#clear").is_enabled())
    board.send_keys(Keys.CONTROL + Keys.SHIFT + "z")  # a stroke again, never a lesson
    fresh.wait(lambda: fresh.find("#clear").is_enabled())
    assert fresh.text("#count") == "2"


def press_keys(fresh: Page, *keys: str, held: str = "") -> None:
    """Keys one after another for whatever has the focus, while another is held."""
    chain = ActionChains(fresh.driver, duration=0)
    if held:
        chain.key_down(held)
    chain.send_keys(*keys)
    if held:
        chain.key_up(held)
    chain.perform()


def test_a_letter_drawn_with_keys(fresh: Page) -> None:
    fresh.run("document.getElementById('board').focus()")
    press_keys(fresh, Keys.ARROW_UP, held=Keys.SHIFT)
    place = fresh.run("return ['--x', '--y'].map((at) => document.getElementById('cursor').style.getPropertyValue(at))")
    assert [float(share) for share in place] == [0.5, 0.5 - 1 / 80]
    press_keys(fresh, *[Keys.ARROW_UP] * 6, Keys.SPACE, *[Keys.ARROW_DOWN] * 12, Keys.SPACE)  # l
    fresh.wait(lambda: fresh.find("#verdict").get_attribute("data-kind") == "nothing_taught")
    assert fresh.run("return scrollY") == 0 and fresh.find("#cursor").is_displayed()
    fresh.teach("l")
    assert not fresh.find("#cursor").is_displayed()  # it goes with the focus
    fresh.draw(BAR)
    assert fresh.forms() == ["l"] and fresh.kind() == "recognized"  # the same strokes as a mouse's
    assert not fresh.complaints()


def test_keys_draw_several_strokes_and_dots(fresh: Page) -> None:
    fresh.find("#board").send_keys(Keys.SPACE, Keys.ARROW_RIGHT, Keys.SPACE)  # a stroke
    fresh.find("#board").send_keys(*[Keys.ARROW_UP] * 3, Keys.SPACE, Keys.SPACE)  # a dot above it
    assert _is_inked(fresh, 0.525, 0.5) and _is_inked(fresh, 0.55, 0.35) and not _is_inked(fresh, 0.5, 0.35)
    fresh.find("#board").send_keys(Keys.BACKSPACE)
    assert _is_inked(fresh, 0.525, 0.5) and not _is_inked(fresh, 0.55, 0.35)
    fresh.find("#board").send_keys(Keys.SPACE, Keys.ARROW_DOWN, Keys.ESCAPE)
    assert not fresh.find("#cursor").is_displayed()
    fresh.find("#board").send_keys(Keys.ARROW_DOWN)  # the pen was lifted: this draws nothing
    assert _is_inked(fresh, 0.55, 0.375) and not _is_inked(fresh, 0.55, 0.45)
    fresh.find("#board").send_keys(Keys.SPACE, Keys.ARROW_RIGHT, Keys.BACKSPACE)  # lifts, then takes the stroke back
    fresh.find("#board").send_keys(Keys.ARROW_RIGHT)
    assert not _is_inked(fresh, 0.6, 0.45) and not _is_inked(fresh, 0.65, 0.45)


def test_two_arrows_draw_aslant(fresh: Page) -> None:
    fresh.find("#board").send_keys(Keys.SPACE)
    press_keys(fresh, Keys.ARROW_DOWN, Keys.ARROW_DOWN, held=Keys.ARROW_RIGHT)
    fresh.find("#board").send_keys(Keys.SPACE)
    assert _is_inked(fresh, 0.6, 0.55) and not _is_inked(fresh, 0.5, 0.6)


def _is_inked(fresh: Page, x: float, y: float) -> bool:
    """Return whether there is chalk at a place of the slate, 0..1 of its side."""
    script = """const board = document.getElementById("board");
    const [x, y] = [...arguments].map((share) => Math.round(share * (board.width - 1)));
    return board.getContext("2d").getImageData(x, y, 1, 1).data[3] > 0;"""
    return bool(fresh.run(script, x, y))


def test_single_keys_can_be_switched_off(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.find("#board").send_keys("?")
    fresh.press("#dialog input[type=checkbox]")
    fresh.press("#dialog .shut")
    fresh.find("#board").send_keys(Keys.DELETE)
    assert fresh.find("#clear").is_enabled()


def test_everything_can_be_reached_with_tab_and_has_a_name(fresh: Page) -> None:
    teach_two(fresh)
    assert fresh.nameless() == []
    stops = set()
    for _ in range(40):
        ActionChains(fresh.driver, duration=0).send_keys(Keys.TAB).perform()
        stops.add(fresh.run("return document.activeElement.id"))
    assert {"board", "undo-stroke", "clear", "pen", "file", "label", "letters", "teach-button", "theme"} - stops <= {
        "undo-stroke", "clear",  # nothing is drawn
    }  # fmt: skip


def test_a_picture_instead_of_strokes(fresh: Page, tmp_path: Path) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    (tmp_path / "cross.svg").write_text("<svg/>")
    picture = tmp_path / "cross.png"
    _photograph(picture)
    fresh.find("#file").send_keys(str(picture))
    assert fresh.forms() == ["x"]
    fresh.find("#file").send_keys(str(tmp_path / "cross.svg"))
    fresh.wait_for("#status", "cross.svg")
    assert fresh.forms() == ["x"]  # what was there stays
    (tmp_path / "words.png").write_text("no picture at all")
    fresh.find("#file").send_keys(str(tmp_path / "words.png"))
    fresh.wait_for("#status", "words.png is not an image that can be shown")
    fresh.choose_language("kn")
    fresh.find("#file").send_keys(str(tmp_path / "words.png"))
    fresh.wait_for("#status", "words.png ತೋರಿಸಬಹುದಾದ ಚಿತ್ರವಲ್ಲ")
    Image.new("RGB", (60, 60), "white").save(tmp_path / "blank.png")
    fresh.find("#file").send_keys(str(tmp_path / "blank.png"))
    fresh.wait_for("#status", "ಇದರಲ್ಲಿ ಅಕ್ಷರ ಕಾಣುತ್ತಿಲ್ಲ")
    fresh.find("#file").send_keys(str(picture))
    fresh.wait(lambda: not fresh.text("#status"))


def _photograph(path: Path) -> None:
    image = Image.new("RGB", (300, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.line((60, 60, 240, 240), fill="black", width=12)
    pen.line((240, 60, 60, 240), fill="black", width=12)
    image.save(path)


def test_the_slate_grows_with_the_window(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.draw(CROSS)
    fresh.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 420, "height": 900, "deviceScaleFactor": 2, "mobile": False}
    )
    fresh.wait(lambda: fresh.run("return document.getElementById('board').clientWidth") < 400)
    fresh.run("document.getElementById('pen').dispatchEvent(new Event('change'))")
    assert fresh.kind() == "recognized"
    assert _is_inked(fresh, 0.75, 0.75)


# Looking back


def test_gallery_relabel_forget_undo(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.wait(lambda: len(fresh.all("#gallery .mini")) == 1)
    fresh.press("#gallery .mini")
    fresh.wait(lambda: fresh.all("#dialog form input"))
    fresh.find("#dialog form input").send_keys(Keys.CONTROL + "a" + Keys.NULL, "y", Keys.ENTER)
    fresh.wait_for("#status", "It is now y")
    fresh.wait_for("#gallery h3", "y")
    fresh.press("#gallery .mini")
    fresh.press("#dialog .danger")
    fresh.wait(lambda: not fresh.all("#gallery .mini"))
    fresh.press("#take-back")
    fresh.wait(lambda: len(fresh.all("#gallery .mini")) == 1)
    assert not fresh.complaints()


def test_link_and_unlink(fresh: Page) -> None:
    teach_two(fresh)
    fresh.press("#gallery .group header button")  # l, the newest
    fresh.wait(lambda: fresh.all("#dialog select"))
    fresh.wait_for("#dialog", "Drawings of l will then count as x, which is different text")
    next(button for button in fresh.all("#dialog button") if button.text == "Link").click()
    fresh.wait_for("#status", "l now counts as x")
    fresh.wait_for("#gallery", "form of x")
    fresh.press("#gallery .group header button")
    next(button for button in fresh.all("#dialog button") if button.text == "Unlink").click()
    fresh.wait_for("#status", "stands for itself again")


def test_forms_of_one_letter_are_linked_without_a_warning(fresh: Page) -> None:
    for letter in ("x", "X", "l"):
        fresh.draw(write_letter("ಅ" if letter == "l" else "ಕ", ord(letter)))
        fresh.teach(letter)
    fresh.wait(lambda: len(fresh.all("#gallery .group")) == 3)
    fresh.press("#gallery .group:nth-of-type(2) header button")  # X
    fresh.wait(lambda: fresh.all("#dialog select"))
    options = {option.text: option for option in fresh.all("#dialog select option")}
    options["l"].click()
    fresh.wait_for("#dialog", "which is different text")
    options["x"].click()
    fresh.wait(lambda: "which is different text" not in fresh.text("#dialog"))
    assert not fresh.complaints()


def test_progress_is_plotted(fresh: Page) -> None:
    fresh.run(_KEEP_PLOTS)
    for hand in range(2):
        for letter in "ಅಕ":
            fresh.draw(write_letter(letter, hand))
            fresh.teach(letter)
    fresh.press("#tab-progress")
    fresh.wait(lambda: len(fresh.all(".uplot canvas")) == 3)
    assert fresh.all(".plot .canvas")[2].get_attribute("aria-label") == "Drawings of each label: ಅ: 2, ಕ: 2"
    fresh.wait(lambda: fresh.run("return plots.length && plots.every((plot) => plot.axes[0]._splits)"))
    drawings = fresh.run("return plots.flatMap((plot) => plot.axes[0]._splits)")
    assert {int(tick) for tick in drawings} == set(drawings)  # none at one and a half
    assert not fresh.complaints()


def test_how_many_letters_the_script_has(fresh: Page) -> None:
    """What a page is told once goes with each question about this workspace, and changes the answer at once."""
    fresh.run("""
        const fetched = window.fetch;
        window.fetch = (address, options) => {
          if (String(address).includes("/page/predict")) window.asked = JSON.parse(options.body).script_labels;
          return fetched(address, options);
        };
    """)
    fresh.draw(write_letter("ಅ", 0))
    fresh.teach("ಅ")
    fresh.draw(write_letter("ಅ", 1))
    fresh.wait(lambda: fresh.run("return window.asked") == 0)
    assert read_script_size(fresh) == ""
    assert "1 is taught" in fresh.text("#script-size-note")
    say_script_size(fresh, "49")
    fresh.wait(lambda: fresh.run("return window.asked") == 49)
    say_script_size(fresh, "0")  # no script has none
    assert fresh.run("return document.querySelector('#script-size').validity.rangeUnderflow")
    say_script_size(fresh, "49")
    fresh.open()
    assert read_script_size(fresh) == "49"
    say_script_size(fresh, "")
    fresh.open()
    assert read_script_size(fresh) == ""
    assert not fresh.complaints()


def read_script_size(page: Page) -> str:
    page.press("#tab-progress")
    page.wait(lambda: page.all("#script-size"))
    return str(page.run("return document.querySelector('#script-size').value"))


def say_script_size(page: Page, size: str) -> None:
    def is_said() -> bool:
        page.find("#script-size").send_keys(Keys.CONTROL + "a" + Keys.NULL + Keys.DELETE + size + Keys.ENTER)
        return bool(page.run("return document.querySelector('#script-size').value === arguments[0]", size))

    page.wait(is_said)  # the panel may be filled anew meanwhile


_KEEP_PLOTS = """
window.plots = [];
let kept;
const watch = (library) => new Proxy(library, {construct(Plot, options) {
  const plot = new Plot(...options);
  plots.push(plot);
  return plot;
}});
Object.defineProperty(window, "uPlot", {get: () => kept, set: (library) => { kept = watch(library); }});
"""


def test_snapshot_reset_and_back(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.press("#tab-keep")
    fresh.wait(lambda: fresh.all("#save"))
    fresh.find("#keep form input").send_keys("one cross", Keys.ENTER)
    fresh.wait_for("#keep", "one cross")
    fresh.press("#reset")
    name = fresh.find("#workspace").get_attribute("value") or ""
    fresh.find("#dialog-input").send_keys("something else", Keys.ENTER)
    fresh.wait_for("#dialog-problem", f"Type {name}")  # and the dialog is still open
    assert fresh.text("#count") == "1"
    fresh.find("#dialog-input").send_keys(name, Keys.ENTER)
    fresh.wait_for("#status", "The workspace is empty.")
    fresh.wait(lambda: not fresh.find("#count").is_displayed())
    press_in_row(fresh, "one cross", "button")
    fresh.wait_for("#count", "1")
    press_in_row(fresh, "one cross", "button.danger")
    fresh.press("#dialog-confirm")
    fresh.wait_for("#status", "Deleted “one cross”.")
    fresh.wait(lambda: all("one cross" not in row.text for row in fresh.all("#keep .kept li")))


def test_a_new_workspace(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    name = f"notes {time.time_ns()}"
    fresh.run("const s = document.getElementById('workspace'); s.value = ''; s.dispatchEvent(new Event('change'))")
    fresh.wait(lambda: fresh.all("#dialog-input"))
    fresh.find("#dialog-input").send_keys(name, Keys.ENTER)
    fresh.wait(lambda: fresh.find("#workspace").get_attribute("value") == name)
    fresh.wait_for("#decision", "Teach me a character")


# Looks and words


def test_light_and_dark(fresh: Page) -> None:
    def ground() -> str:
        return str(fresh.run("return getComputedStyle(document.body).backgroundColor"))

    fresh.prefer("light")
    light = ground()
    fresh.prefer("dark")
    assert ground() != light  # as the system wishes
    fresh.press("#theme")
    assert ground() == light  # as the reader wishes
    fresh.open()
    assert ground() == light  # and is remembered
    fresh.prefer("light")


def test_kannada(fresh: Page) -> None:
    assert [option.text for option in fresh.all("#language option")] == ["English", "ಕನ್ನಡ"]
    fresh.choose_language("kn")
    fresh.wait_for("#decision", "ನನಗೊಂದು ಅಕ್ಷರ ಕಲಿಸಿ")
    assert fresh.run("return document.documentElement.lang") == "kn"
    fresh.open()
    fresh.wait_for("#teach-button", "ಕಲಿಸಿ")  # remembered
    fresh.draw(CROSS)
    fresh.find("#label").send_keys("x", Keys.ENTER)
    fresh.wait_for("#status", "x ಕಲಿತೆ")


def test_a_hostile_label_is_only_text(fresh: Page) -> None:
    label = "<img src=x onerror=document.title='owned'>"
    fresh.draw(CROSS)
    fresh.teach(label)
    fresh.draw(CROSS)
    assert fresh.forms() == [label]
    fresh.press("#gallery .group header button")
    fresh.wait(lambda: fresh.all("#dialog .mini"))
    assert label in fresh.text("#dialog-title")
    fresh.press("#dialog .shut")
    fresh.press("#tab-progress")
    fresh.wait(lambda: fresh.all(".numbers"))
    assert not fresh.all("img[src='x']") and fresh.driver.title == "Haleganada"


def test_a_long_label_leaves_room_for_its_code_points(fresh: Page) -> None:
    for label, drawing in (("<img src=x onerror=alert(1)>", CROSS), ("ಕ್ಷ್ಮಿ", BAR)):
        fresh.draw(drawing)
        fresh.teach(label)
    fresh.draw(CROSS)
    assert len(fresh.forms()) == 2
    for width in (1280, 360):
        fresh.resize(width, 1000)
        rows = fresh.run(
            "return [...document.querySelectorAll('#candidates li:not(.none) button')].map((row) => row.offsetHeight)"
        )
        assert len(rows) == 2 and max(rows) <= 60 and fresh.is_narrow_enough(), width
    assert "onerror=alert(1)" in fresh.run("return document.querySelector('#candidates button').title")


def test_scripts_that_are_not_the_pages_do_not_run(fresh: Page) -> None:
    fresh.run(
        """const made = document.createElement("script");
        made.textContent = "window.owned = 1";
        document.body.append(made);"""
    )
    assert fresh.run("return window.owned") is None
