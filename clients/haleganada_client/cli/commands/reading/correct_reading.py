"""correct-reading: say what glyphs of a taught page are, one at a time or asked for by the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.formatting import format_count, printable_lines
from haleganada_client.cli.session import Session, with_session

from .dialogue import correct_by_questions

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import ReadingCorrection

_LINE = (float, float, float, float)


@click.command("correct-reading")
@click.argument("reading_id")
@click.option("--page", "number", default=1, show_default=True, type=click.IntRange(1), help="The page.")
@click.option(
    "--glyph",
    "glyph_ids",
    multiple=True,
    type=int,
    metavar="ID",
    help="The glyph to correct. Can be repeated.",
)
@click.option(
    "--text", default="", metavar="LABEL", help="The label of the glyphs; with --join, of all of them together."
)
@click.option("--join", is_flag=True, help="The glyphs are parts of one.")
@click.option("--split", type=_LINE, metavar="X Y X Y", help="Split the glyph in two along this line, in pixels.")
@click.option("--remove", is_flag=True, help="The glyphs are stains: remove them.")
@click.option("--undo", is_flag=True, help="Undo the last correction and what it taught.")
@with_session
def correct_reading_command(
    session: Session,
    reading_id: str,
    number: int,
    glyph_ids: tuple[int, ...],
    text: str,
    join: bool,
    split: tuple[float, float, float, float] | None,
    remove: bool,
    undo: bool,
) -> None:
    """Correct the reading READING_ID of `haleganada read --mode taught --keep`.

    Without further options, you are asked about the glyphs that would help most: type a label, or the number of a
    candidate. Your answers are taught to the workspace that reads the page, and the page is read again.
    `haleganada readings show READING_ID --glyphs` lists the ids of glyphs.

    \b
    haleganada correct-reading 5170e4e9e7dc
    haleganada correct-reading 5170e4e9e7dc --glyph 12 --glyph 40 --text ಕ
    haleganada correct-reading 5170e4e9e7dc --glyph 12 --split 310 40 316 95
    haleganada correct-reading 5170e4e9e7dc --undo
    """
    wanted = [join, split is not None, remove, undo]
    if sum(wanted) > 1 or (text and any(wanted[1:])):
        raise click.UsageError(
            "give one of --text, --join, --split, --remove and --undo; only --text and --join go together"
        )
    if undo and glyph_ids:
        raise click.UsageError("--undo undoes the last correction, whichever glyph it was for; leave --glyph out")
    if not (undo or glyph_ids or text or any(wanted)):
        with session.client() as client:
            correct_by_questions(session, client, reading_id, number)
        return
    if not (undo or glyph_ids):
        raise click.UsageError("give the --glyph to correct; `haleganada readings show ID --glyphs` lists them")
    if not (text or any(wanted)):
        raise click.UsageError("give what the glyph is with --text, or --join, --split or --remove")
    with session.client() as client:
        done = _correct(client, reading_id, number, glyph_ids, text, join, split, remove)
    session.show(done, describe_correction(done, number))


def _correct(
    client: HaleganadaClient,
    reading_id: str,
    page: int,
    glyph_ids: Sequence[int],
    text: str,
    join: bool,
    split: tuple[float, float, float, float] | None,
    remove: bool,
) -> ReadingCorrection:
    readings = client.readings
    if not glyph_ids:
        return readings.undo(reading_id, page)
    if split is not None:
        if len(glyph_ids) > 1:
            raise click.UsageError("--split divides one --glyph")
        return readings.split(reading_id, glyph_ids[0], split[:2], split[2:], page)
    if join:
        return readings.join(reading_id, glyph_ids, text, page)
    if remove:
        return readings.remove_glyphs(reading_id, glyph_ids, page)
    return readings.name(reading_id, glyph_ids, text, page)


def describe_correction(done: ReadingCorrection, page: int) -> str:
    """Return what a correction has changed, for people."""
    taught = f"taught {format_count(len(done.sample_ids), 'drawing')}; " if done.sample_ids else ""
    changed = format_count(len(done.changed_glyph_ids), "glyph")
    return f"{taught}{changed} of page {page} read otherwise now:\n{printable_lines(done.page.text)}"
