"""Teaching many drawings: the label stays, an alphabet is walked through, and what was taught is practiced."""

from __future__ import annotations

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.web.browser import BAR, CROSS, Page, Strokes, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
DRAWINGS = {"x": CROSS, "l": BAR}


def press(fresh: Page, *keys: str) -> None:
    """Press keys where the focus is."""
    ActionChains(fresh.driver, duration=0).send_keys(*keys).perform()


def label(fresh: Page) -> str:
    return str(fresh.run("return document.getElementById('label').value"))


def target(fresh: Page) -> str:
    return fresh.text("#walk .ring")


# The label stays


def test_pen_up_and_enter_teaches_the_same_label_again(fresh: Page) -> None:
    fresh.draw(CROSS)
    press(fresh, Keys.ENTER)
    press(fresh, "ಅ", Keys.ENTER)
    fresh.wait_for("#series", "ಅ, 2 of 3")
    fresh.draw(CROSS)
    press(fresh, Keys.ENTER)
    fresh.wait_for("#series", "ಅ, 3 of 3")
    assert label(fresh) == "ಅ" and fresh.text("#count") == "2"
    fresh.press("#take-back")
    fresh.wait_for("#series", "ಅ, 2 of 3")
    for _ in range(3):
        fresh.draw(CROSS)
        press(fresh, Keys.ENTER)
        fresh.wait_for("#status", "Learned ಅ")
        fresh.press("#toast-close")
    fresh.wait_for("#series", "ಅ · 4 drawings")
    assert not fresh.complaints()


def test_another_label_replaces_the_one_that_stays(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.press("#board")
    fresh.press("#label")
    press(fresh, "l")
    assert label(fresh) == "l" and fresh.text("#series") == ""
    fresh.run("document.getElementById('label').value = ''")
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.press("#letters")
    for letter in ("ಕ", "◌ಿ"):
        next(key for key in fresh.all("#palette button") if key.text == letter).click()
    assert label(fresh) == "ಕಿ"


def test_chips_keep_their_places(fresh: Page) -> None:
    def chips() -> list[str]:
        return [chip.text for chip in fresh.all("#recent button")]

    for letter in "abc":
        fresh.draw(BAR)
        fresh.teach(letter)
        fresh.wait(lambda letter=letter: letter in chips())  # type: ignore[misc]
    order = chips()
    for count, letter in enumerate("ab", 4):
        fresh.draw(CROSS)
        next(chip for chip in fresh.all("#recent button") if chip.text == letter).click()
        fresh.wait_for("#status", f"Learned {letter}")
        fresh.wait_for("#count", str(count))  # the chips are shown anew before that
    assert chips() == order


# A walk through an alphabet


def walk(fresh: Page, letters: str, times: int) -> None:
    fresh.press("#start-walk")
    fresh.wait(lambda: fresh.all("#own-letters"))
    fresh.find("#own-letters").send_keys(letters)
    fresh.find(f"#times option[value='{times}']").click()
    fresh.press("#dialog .primary")
    fresh.wait(lambda: fresh.find("#walk").is_displayed())


def test_a_walk_shows_each_letter_and_goes_on_by_itself(fresh: Page) -> None:
    walk(fresh, "xl", 3)
    assert fresh.text("#model-letter") == "x" and label(fresh) == "x"
    for letter, place in (("x", "x, 1 of 3"), ("x", "x, 2 of 3"), ("x", "x, 3 of 3"), ("l", "l, 1 of 3")):
        fresh.wait_for("#walk", place)
        fresh.draw(DRAWINGS[letter])
        assert not fresh.find("#model-letter").is_displayed()  # it is in the way of a hand of one's own
        press(fresh, Keys.ENTER)
    fresh.wait_for("#walk", "l, 2 of 3")
    assert fresh.find("#walk .ring").get_attribute("aria-valuenow") == "1"
    fresh.press("#take-back")
    fresh.wait_for("#walk", "l, 1 of 3")
    fresh.press("#walk-skip")
    fresh.wait_for("#walk", "All 2 letters are done.")
    fresh.press("#walk-end")
    assert not fresh.find("#walk").is_displayed()
    fresh.wait_for("#count", "3")
    assert not fresh.complaints()


def test_alphabets_to_walk_through(fresh: Page) -> None:
    fresh.choose_language("kn")
    fresh.press("#start-walk")
    fresh.wait(lambda: fresh.all("#alphabet"))
    assert fresh.text("#alphabet option:checked").startswith("ಕನ್ನಡ ಸ್ವರಗಳು: ಅ ಆ ಇ")
    fresh.press("#dialog .primary")
    fresh.wait_for("#walk", "13 ಅಕ್ಷರಗಳಲ್ಲಿ 0 ಮುಗಿದಿವೆ")
    assert label(fresh) == "ಅ" and target(fresh) == "ಅ"
    fresh.choose_language("en")
    fresh.wait_for("#walk", "0 of 13 letters done")


def test_letters_of_ones_own(fresh: Page) -> None:
    script = """const [texts, done] = arguments;
    import("/static/practice/alphabets.js").then(
      ({splitLetters}) => done(texts.map(splitLetters)), (failed) => done(String(failed)));"""
    split = fresh.driver.execute_async_script(script, ["ಕಿಕೀಅ", "ch, sh sch", "aab", " "])
    assert split == [["ಕಿ", "ಕೀ", "ಅ"], ["ch", "sh", "sch"], ["a", "b"], []]


# Practice


def check(fresh: Page, drawing: Strokes, said: str) -> None:
    """Draw the letter that is asked for, press Enter, and read the score."""
    fresh.draw(drawing)
    press(fresh, Keys.ENTER)
    fresh.wait_for("#status", said)
    fresh.press("#toast-close")


def test_practice_scores_and_brings_back_what_went_wrong(fresh: Page) -> None:
    for letter in "xl":
        for _ in range(2):
            fresh.draw(DRAWINGS[letter])
            fresh.teach(letter)
    fresh.wait_for("#count", "4")
    fresh.press("#practice")
    fresh.wait_for("#walk", "Draw ")
    first = target(fresh)
    second = "l" if first == "x" else "x"
    assert not fresh.find("#model-letter").is_displayed()  # it must be known by heart
    check(fresh, DRAWINGS[second], f"That looks like {second}, not {first}")
    fresh.wait(lambda: target(fresh) == second)
    check(fresh, DRAWINGS[second], f"{second}: right, ")
    fresh.wait(lambda: target(fresh) == first)
    assert (
        fresh.find("#model-letter").is_displayed() and fresh.find("#walk .ring").get_attribute("aria-valuenow") == "1"
    )
    check(fresh, DRAWINGS[first], f"{first}: right, ")
    check(fresh, DRAWINGS[first], f"{first}: right, ")  # twice, after a mistake
    fresh.wait_for("#walk", "All 2 letters are done.")
    fresh.wait_for("#walk", f"These went wrong at first: {first}")
    assert fresh.text("#count") == "4"  # nothing of it was taught
    check_order_of_next_time(fresh, first, second)
    assert not fresh.complaints()


def check_order_of_next_time(fresh: Page, first: str, second: str) -> None:
    """What went wrong last comes first the next time, also after a reload."""
    fresh.press("#practice")
    fresh.wait(lambda: target(fresh) in (first, second))
    check(fresh, DRAWINGS[target(fresh)], "right, ")
    worse = target(fresh)
    check(fresh, DRAWINGS["l" if worse == "x" else "x"], "That looks like")
    fresh.open()
    fresh.press("#practice")
    fresh.wait(lambda: target(fresh) == worse)
