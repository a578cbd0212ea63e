"""A whole page of a taught script is corrected at the command line, by the page's questions and one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import RunningServer
from tests.contract.reading.taught_loop import TEXT, Loop, glyphs_of, teach, write
from tests.e2e.cli.command_line import Done, haleganada

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")


@pytest.fixture
def loop(server: RunningServer, workspace: str) -> Loop:
    """A page with two letters that nobody has taught."""
    teach(server, workspace, "ಕಖಗ")
    return Loop.read(server, workspace, write(TEXT))


def run(loop: Loop, *arguments: str, answers: str | None = None) -> Done:
    stdin = None if answers is None else answers.encode()
    return haleganada("--server", loop.server.address, *arguments, stdin=stdin)


def correct(loop: Loop, *arguments: str, answers: str | None = None) -> Done:
    done = run(loop, "correct-reading", loop.reading.reading_id, *arguments, answers=answers)
    assert done.returncode == 0, done.stderr
    return done


def text_of(loop: Loop) -> list[str]:
    return loop.get().text.splitlines()


def truth_by_id(loop: Loop) -> dict[int, str]:
    letters = "".join(TEXT).replace(" ", "")
    return {glyph.glyph_id: letter for glyph, letter in zip(glyphs_of(loop.get()), letters, strict=True)}


def test_the_page_asks_until_it_is_read(loop: Loop) -> None:
    truth = truth_by_id(loop)
    assert text_of(loop) != list(TEXT)
    for _ in range(8):
        questions = loop.get().questions
        if not questions:
            break
        answer = truth[questions[0].glyph_id]
        shown = correct(loop, answers=f":all {answer}\n:quit\n").stdout
        assert f"glyph {questions[0].glyph_id}, " in shown and "correction" in shown
    assert text_of(loop) == list(TEXT)
    evaluated: list[dict[str, Any]] = json.loads(
        run(loop, "readings", "evaluate", loop.reading.reading_id, "--json").stdout
    )
    assert evaluated[0]["first_errors"] > 0 and evaluated[0]["settled_glyphs"] > 0


def test_answers_that_cannot_be_taken_are_said_and_asked_again(loop: Loop) -> None:
    before = text_of(loop)
    shown = correct(loop, answers=":help\n:foo\n:all\n:split 0\n:split x\n\n:quit\n").stdout
    assert "leave it for later" in shown and ":foo is not a command" in shown
    assert shown.count("from 1 to 99 %") == 2 and "0 corrections" in shown
    assert text_of(loop) == before and loop.get().revision == 0


def test_everything_said_can_be_taken_back(loop: Loop) -> None:
    before = text_of(loop)
    shown = correct(loop, answers=":x\n:undo\n:split 50\n:undo\nಘ\n:undo\n:undo\n").stdout
    assert "nothing left to undo" in shown and text_of(loop) == before and loop.get().revision == 6


def test_one_correction_each(loop: Loop) -> None:
    truth = truth_by_id(loop)
    glyph_id = next(one for one, letter in truth.items() if letter == "ಘ")
    listed = run(loop, "readings", "show", loop.reading.reading_id, "--glyphs").stdout
    assert all(f"\n{one:>5} " in listed.replace("glyph", "     ") or str(one) in listed for one in truth)
    done = json.loads(correct(loop, "--glyph", str(glyph_id), "--text", "ಘ", "--json").stdout)
    assert len(done["sample_ids"]) == 1 and "ಘ" in done["page"]["text"]
    correct(loop, "--glyph", str(glyph_id), "--remove")
    correct(loop, "--undo")
    correct(loop, "--undo")
    assert "ಘ" not in "".join(text_of(loop))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--text", "ಕ"), "give the --glyph"),
        (("--glyph", "1"), "--text, or --join"),
        (("--glyph", "1", "--join", "--remove"), "give one of"),
        (("--glyph", "1", "--undo"), "leave --glyph out"),
        (("--glyph", "1", "--glyph", "2", "--split", "1", "2", "3", "4"), "divides one --glyph"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], words: str) -> None:
    done = haleganada("--server", "127.0.0.1:1", "correct-reading", "abc", *arguments)
    assert done.returncode == 2 and words in done.stderr
