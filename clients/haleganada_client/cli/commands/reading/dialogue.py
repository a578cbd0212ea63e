"""The dialogue of correct-reading: the page asks, a person answers, and the page is read again."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.formatting import format_count, format_percent, printable
from haleganada_client.cli.session import Session
from haleganada_client.errors import FailedPrecondition, InvalidInput, NotFound, RevisionMismatch

from .glyph_picture import draw_glyph, load_scan

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import GlyphQuestion, PageReading, ReadingCorrection, TextGlyph

    from .glyph_picture import Scan

HELP = """\
TEXT       it is this; =TEXT if that is a number or begins with a colon
1 to 5     it is this candidate
:all TEXT  it and those that look the same are this; :all 1 takes a candidate
:join      it and the next are one; :join TEXT says which
:split 40  it is two, parted at 40 % of its width
:x         it is no glyph, but a stain
:undo      take the last correction back
Enter      leave it for later
:quit      stop; everything is kept"""
_SAID = (FailedPrecondition, InvalidInput, NotFound, RevisionMismatch)
"""Refusals of one answer, after which the dialogue goes on with the page as it is now."""
_AROUND = 6  # glyphs on each side that are shown with one


@dataclass(slots=True)
class _State:
    """page: as it is now. left: the glyphs that a person would not answer for."""

    page: PageReading
    left: set[int] = field(default_factory=set)
    corrections: int = 0

    def next_question(self) -> GlyphQuestion | None:
        return next((one for one in self.page.questions if one.glyph_id not in self.left), None)


def correct_by_questions(session: Session, client: HaleganadaClient, reading_id: str, number: int) -> None:
    """Ask for one glyph after another until nothing is left to ask, or the person stops. Raise HaleganadaError."""
    state = _State(client.readings.page(reading_id, number))
    scan = load_scan(client, reading_id, state.page)
    while (question := state.next_question()) is not None:
        click.echo(_describe_question(state.page, question, scan))
        answer = _read_answer("It is (:help for help): ")
        if answer is None or answer == ":quit":
            break
        try:
            _take_answer(client, reading_id, number, state, question, answer)
        except _SAID as error:
            click.echo(error.message)
            state.page = client.readings.page(reading_id, number)
    click.echo(_describe_end(session, state, reading_id))


def _read_answer(prompt: str) -> str | None:
    """Return what a person types, without the spaces around it; None at the end of the input."""
    click.echo(prompt, nl=False)
    line = sys.stdin.readline()
    return line.strip() if line else None


def _take_answer(
    client: HaleganadaClient, reading_id: str, number: int, state: _State, question: GlyphQuestion, answer: str
) -> None:
    glyph_id = question.glyph_id
    command, _, rest = answer.partition(" ")
    rest = rest.strip()
    if not answer:
        state.left.add(glyph_id)
    elif command == ":help":
        click.echo(HELP)
    elif command == ":undo":
        _take_page(state, client.readings.undo(reading_id, number), -1)
    elif command == ":x":
        _take_page(state, client.readings.remove_glyphs(reading_id, [glyph_id], number))
    elif command == ":join":
        neighbors = [glyph_id, _find_next(state.page, glyph_id)]
        _take_page(state, client.readings.join(reading_id, neighbors, rest, number))
    elif command == ":split":
        start, end = _part_at(_find_glyph(state.page, glyph_id), rest)
        _take_page(state, client.readings.split(reading_id, glyph_id, start, end, number))
    elif command == ":all":
        text = _find_text(state.page, glyph_id, rest)
        _take_page(state, client.readings.name(reading_id, [glyph_id, *question.similar_glyph_ids], text, number))
    elif command.startswith(":"):
        raise InvalidInput(f"{printable(command)} is not a command; :help lists them")
    else:
        text = _find_text(state.page, glyph_id, answer)
        _take_page(state, client.readings.name(reading_id, [glyph_id], text, number))


def _take_page(state: _State, done: ReadingCorrection, corrections: int = 1) -> None:
    state.page = done.page
    state.corrections += corrections
    click.echo(f"{format_count(len(done.changed_glyph_ids), 'glyph')} read otherwise now")


def _find_text(page: PageReading, glyph_id: int, answer: str) -> str:
    """Return what an answer stands for: a candidate's number, or a text."""
    if answer.startswith("="):
        return answer[1:]
    candidates = _find_glyph(page, glyph_id).candidates
    if answer.isdecimal() and 1 <= int(answer) <= len(candidates):
        return candidates[int(answer) - 1].text
    if not answer:
        raise InvalidInput("write what they are after the command, for example “:all ಕ”")
    return answer


def _part_at(glyph: TextGlyph, percent: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return an upright line through a glyph, from above it to below. percent: of its width, from the left."""
    try:
        share = float(percent.rstrip(" %")) / 100
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise InvalidInput("say where, from 1 to 99 % of its width, for example “:split 40”")
    left, top, right, bottom = glyph.box
    x = left + share * (right - left)
    return (x, top - 2), (x, bottom + 2)


def _list_glyphs(page: PageReading) -> list[list[TextGlyph]]:
    """Return the glyphs of each line."""
    return [[glyph for word in line.words for glyph in word.glyphs] for line in page.lines]


def _find_glyph(page: PageReading, glyph_id: int) -> TextGlyph:
    return next(glyph for glyph in page.glyphs if glyph.glyph_id == glyph_id)


def _find_next(page: PageReading, glyph_id: int) -> int:
    for line in _list_glyphs(page):
        ids = [glyph.glyph_id for glyph in line]
        if glyph_id in ids[:-1]:
            return ids[ids.index(glyph_id) + 1] or 0
    raise InvalidInput("it is the last of its line; join it to the one before it by asking for that")


def _describe_question(page: PageReading, question: GlyphQuestion, scan: Scan | None) -> str:
    glyph = _find_glyph(page, question.glyph_id)
    alike = len(question.similar_glyph_ids)
    lines = [
        "",
        f"glyph {question.glyph_id}, {question.reason}"
        + (f"; {format_count(alike, 'other')} look the same, which “:all” names, too" if alike else ""),
        *([draw_glyph(scan, glyph.box)] if scan else []),
        _show_around(page, question.glyph_id),
    ]
    candidates = [
        f"{number} {printable(candidate.text)} {format_percent(candidate.probability)}"
        for number, candidate in enumerate(glyph.candidates, start=1)
    ]
    return "\n".join([*lines, "   ".join(candidates)])


def _show_around(page: PageReading, glyph_id: int) -> str:
    """Return a glyph in brackets between its neighbors."""
    for line in _list_glyphs(page):
        ids = [glyph.glyph_id for glyph in line]
        if glyph_id in ids:
            at = ids.index(glyph_id)
            shown = [
                f"[{printable(one.text) or '?'}]" if one.glyph_id == glyph_id else printable(one.text) or "?"
                for one in line[max(0, at - _AROUND) : at + _AROUND + 1]
            ]
            return " ".join(["…" if at > _AROUND else "", *shown, "…" if at + _AROUND + 1 < len(line) else ""]).strip()
    return ""


def _describe_end(session: Session, state: _State, reading_id: str) -> str:
    glyphs = state.page.glyphs
    settled = sum(glyph.settled for glyph in glyphs)
    asked = "" if state.page.questions else "nothing is left to ask; "
    show = session.command_line("readings", "show", reading_id)
    made = format_count(state.corrections, "correction")
    return f"{asked}{made}; {settled} of {format_count(len(glyphs), 'glyph')} settled\n`{show}` shows the text"
