"""Labels are shown with drawings that were taught: no font is needed to know which one is meant."""

from __future__ import annotations

import pytest
from haleganada_client import HaleganadaClient, Ink, Stroke

from tests.conftest import RunningServer
from tests.e2e.handwriting import write_letter
from tests.e2e.web.browser import Page, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
LETTERS = "ಅಕದರ"
LABELS = dict(zip(LETTERS, ("ಅ", "ಕ", "ದ", "\U00011300"), strict=True))  # the last in a script that hardly a font has


@pytest.fixture(scope="module")
def taught(opened: Page, server: RunningServer) -> Page:
    """The page, four letters by five hands, one of them mislabeled and one taught twice."""
    opened.open_afresh()
    workspace = opened.run("return localStorage.workspace")
    with HaleganadaClient(server.address, workspace=workspace) as client:
        for hand in range(5):
            for letter in LETTERS:
                label = "ಕ" if (letter, hand) == ("ದ", 4) else LABELS[letter]
                client.train(make_ink(letter, hand), label)
        client.train(make_ink("ಅ", 0), "ಅ")
    return opened


def make_ink(letter: str, hand: int) -> Ink:
    return Ink(tuple(Stroke(*zip(*points, strict=True)) for points in write_letter(letter, hand)), 1, 1, 0.035)


def is_loaded(page: Page, selector: str) -> bool:
    """Return whether each element has a picture that has come."""
    script = """return [...document.querySelectorAll(arguments[0])].map((one) => one.querySelector("img"))
      .every((image) => image?.complete && image.naturalWidth > 0);"""
    return bool(page.all(selector)) and bool(page.run(script, selector))


def test_candidates_and_chips_carry_a_drawing(taught: Page) -> None:
    taught.open()
    taught.draw(write_letter("ರ", 7))
    assert taught.forms()[0] == LABELS["ರ"]
    taught.wait(lambda: is_loaded(taught, "#candidates li:not(.none) button"))
    taught.wait(lambda: is_loaded(taught, "#recent button"))
    assert len(taught.all("#recent button")) == len(LABELS)
    assert not taught.complaints()


def test_the_verdict_carries_a_drawing(taught: Page) -> None:
    taught.open()
    for letter in "ಅರ":
        taught.run("document.getElementById('clear').click()")
        taught.draw(write_letter(letter, 7))
        taught.wait(lambda: taught.kind() == "recognized")
        taught.wait(lambda: is_loaded(taught, "#tile"))
        shown = taught.find("#tile .evidence").rect
        is_alone = not taught.text("#tile")  # no font has the letter
        assert is_alone or taught.text("#tile") == LABELS[letter]
        assert (shown["width"] > taught.find("#tile").rect["width"] / 2) == is_alone
    assert not taught.complaints()


def test_a_letter_without_a_font_is_shown_as_it_was_taught(taught: Page) -> None:
    missing_glyph = "\U0010fffd"  # no font has it
    taught.open()
    taught.run("document.getElementById('clear').click()")
    taught.press("#start-walk")
    taught.wait(lambda: taught.all("#own-letters"))
    taught.run("document.getElementById('own-letters').value = arguments[0]", missing_glyph)
    taught.press("#dialog .primary")
    taught.wait_for("#walk .ring", "U+10FFFD")
    assert not taught.find("#model-letter").is_displayed()  # nobody has drawn it yet
    taught.draw(write_letter("ದ", 8))
    taught.find("#teach-button").click()
    taught.wait(lambda: is_loaded(taught, "#model-letter"))
    assert taught.find("#model-letter").is_displayed()
    taught.press("#take-back")
    taught.wait(lambda: not taught.all("#model-letter img"))
    taught.press("#walk-end")


def test_a_candidate_says_what_a_tap_means(taught: Page) -> None:
    taught.open()
    taught.run("document.getElementById('clear').click()")  # a drawing outlives a reload
    taught.draw(write_letter("ಅ", 7))
    taught.wait(lambda: taught.kind() == "recognized")
    assert taught.forms()[0] == "ಅ"
    claims = [claim.text.replace("\n", " ") for claim in taught.all("#candidates .claim")]
    assert claims[0] == "Yes, ಅ" and claims[-1] == "No, it is …"
    assert all(claim.startswith("No, it is ") for claim in claims[1:])
    taught.press("#candidates .none button")
    assert taught.run("return document.activeElement.id") == "label"


def test_unlikely_candidates_are_folded_away(taught: Page) -> None:
    taught.open()
    taught.run("document.getElementById('clear').click()")  # a drawing outlives a reload
    taught.draw(write_letter("ಅ", 7))
    taught.wait(lambda: taught.kind() == "recognized")
    shown = taught.all("#candidates .form")
    folded = len(LABELS) - len(shown)
    assert folded and taught.text("#candidates .fold") == f"{folded} more, under 0.1 %"
    assert not any("<0.1" in percent.text for percent in taught.all("#candidates .percent")[: len(shown)])
    taught.find("#board").send_keys("4")  # nor is one of them taught by its key
    taught.press("#candidates .fold button")
    assert len(taught.all("#candidates .form")) == len(LABELS) and not taught.text("#status")
    taught.draw(write_letter("ಕ", 7))
    taught.wait(lambda: taught.all("#candidates .fold"))  # and the next answer is short again


def test_suspects_are_pairs_to_keep_to_relabel_or_to_forget(taught: Page) -> None:
    find_suspects(taught)
    number = len(taught.all(".suspect"))
    assert "remembered by this browser" in taught.text(".suspects")
    assert "is labeled ಕ but looks like ದ" in taught.text(".suspect") and "duplicate" in taught.text(".suspects")
    taught.wait(lambda: is_loaded(taught, ".suspect figure"))
    assert len(taught.all(".suspect figure")) == 2 * number

    taught.press(".suspect:last-child .row button")  # keep it: somebody taught it twice on purpose
    taught.wait(lambda: len(taught.all(".suspect")) == number - 1)
    taught.press(".suspect .row button:nth-of-type(2)")
    taught.wait_for("#status", "It is now ದ")
    taught.wait(lambda: "is labeled ಕ" not in taught.text(".suspects"))
    taught.press("#take-back")
    taught.wait_for("#status", "Taken back")

    find_suspects(taught)
    assert len(taught.all(".suspect")) == number - 1  # what was kept is not asked again
    taught.press(".suspect .danger")
    taught.wait_for("#status", "Deleted")
    taught.wait(lambda: "is labeled ಕ" not in taught.text(".suspects"))
    assert not taught.complaints()


def find_suspects(page: Page) -> None:
    page.open()
    page.press("#tab-progress")
    page.press(".suspects button")
    page.wait(lambda: page.all(".suspects .advice, .suspects .note"))


def test_suspects_are_shown_in_a_panel_that_was_shown_anew_meanwhile(taught: Page) -> None:
    taught.open()
    taught.run("localStorage.removeItem('kept')")
    taught.press("#tab-progress")
    taught.wait(lambda: taught.all(".suspects button"))
    taught.run(
        """const plain = window.fetch;
        const released = new Promise((resolve) => { window.release = resolve; });
        window.fetch = async (address, options) => {
          if (address.includes("suspects=1")) await released;
          return plain(address, options);
        };
        window.before = document.querySelector(".suspects");"""
    )
    taught.press(".suspects button")
    taught.press("#theme")  # paints the panel anew
    taught.wait(lambda: taught.run("return document.querySelector('.suspects') !== before"))
    taught.run("release()")
    taught.wait(lambda: taught.all(".suspect"))
    taught.press("#theme")


def test_a_refused_answer_leaves_the_pair(taught: Page, server: RunningServer) -> None:
    taught.open()
    taught.run("localStorage.removeItem('kept')")
    find_suspects(taught)
    number = len(taught.all(".suspect"))
    assert number
    sample = int(taught.run("return document.querySelector('.suspect img').src.match(/samples.(\\d+)/)[1]"))
    with HaleganadaClient(server.address, workspace=taught.run("return localStorage.workspace")) as client:
        label = next(one.label for one in client.iter_samples() if one.sample_id == sample)
        client.relabel(sample, "ರ")
        taught.press(".suspect .danger")
        taught.wait_for("#status", "did not work")
        assert len(taught.all(".suspect")) == number
        client.relabel(sample, label)  # for the tests that come after it
