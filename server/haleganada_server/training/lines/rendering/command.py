"""`python -m haleganada_server render-lines`: draw lines of a text as a data set."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np

from haleganada_server.core.errors import InvalidInput
from haleganada_server.training.common.augment import mix_seed
from haleganada_server.vision.line_pictures import GrayLine, encode_line

from .fonts import LineFont, draw_text, find_fonts, require_shaping
from .texts import LineTexts
from .wear import wear_line

DEFAULT_LINES = 4_000
_SIZES = (34, 44, 56)  # px
_SHARE, _MOST_HELD_OUT = 0.05, 500  # of the lines, for validation and for testing each
_TYPE_SHARE = 0.5  # of the lines, that are set as with metal type
_TRIES = 20

_PATH = click.Path(exists=True, path_type=Path)


@dataclass(frozen=True, eq=False)
class RenderedLine:
    """A line, its text, the file name of its font, and its part."""

    picture: GrayLine
    text: str
    font: str
    part: str


def draw_lines(texts: LineTexts, fonts: Sequence[LineFont], lines: int, seed: int = 0) -> Iterator[RenderedLine]:
    """Yield so many lines; equal arguments give equal lines. What a font lacks is drawn by another one. Raises
    InvalidInput if no font has the characters of the text.
    """
    cv2.setNumThreads(1)
    require_shaping(texts.words)
    held_out = min(_MOST_HELD_OUT, int(_SHARE * lines))
    for number in range(lines):
        part = "validation" if number < held_out else "test" if number < 2 * held_out else "train"
        yield draw_line(texts, fonts, np.random.default_rng(mix_seed(seed, number)), part)


def draw_line(
    texts: LineTexts, fonts: Sequence[LineFont], rng: np.random.Generator, part: str = "train"
) -> RenderedLine:  # fmt: skip
    """Return one line. Raises InvalidInput as draw_lines does."""
    for _ in range(_TRIES):
        text = texts.draw(rng)
        font = _choose_font(text, fonts, rng)
        lacking = [character for character in text if not font.covers(character)]
        spares = [other for other in fonts if other.covers(lacking)]
        if not spares:
            continue
        spare = spares[int(rng.integers(len(spares)))]
        size = int(rng.choice(_SIZES))
        spaced = text.replace(" ", " " * int(rng.choice((1, 1, 2, 3))))  # lines that are justified have wide gaps
        type_setter = rng if rng.random() < _TYPE_SHARE else None
        try:
            ink = draw_text(spaced, font, spare, size, type_setter)
            return RenderedLine(wear_line(ink, size, rng), text, font.path.name, part)
        except ValueError:  # a font draws nothing for a character that it claims to have
            continue
    raise InvalidInput("fonts", "has no font with the characters of the text; name fonts of its script")


def _choose_font(text: str, fonts: Sequence[LineFont], rng: np.random.Generator) -> LineFont:
    """Return one of the fonts that have most of the characters."""
    missing = np.array([sum(not font.covers(character) for character in text) for font in fonts])
    return fonts[int(rng.choice(np.flatnonzero(missing <= missing.min() + 1)))]


def write_lines(lines: Iterator[RenderedLine], path: Path) -> int:
    """Write a .zip with lines.tsv, for `haleganada datasets add`, and return the number of lines."""
    table = io.StringIO()
    table.write("path\ttext\tgroup\tpart\n")
    count = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for count, line in enumerate(lines, start=1):
            name = f"lines/{count:07}.png"
            file.writestr(name, encode_line(line.picture))
            table.write(f"{name}\t{line.text}\t{line.font}\t{line.part}\n")
        file.writestr("lines.tsv", table.getvalue())
    return count


@click.command("render-lines")
@click.option(
    "--text", "text_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
    help="A text in UTF-8, or a list of words with one in each row, which then get punctuation and numbers.",
)  # fmt: skip
@click.option("--fonts", type=_PATH, multiple=True, required=True, help="Font files, or folders of them. Repeatable.")
@click.option("--lines", type=click.IntRange(20), default=DEFAULT_LINES, show_default=True, help="How many to draw.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .zip file to write.")
def render_lines(text_file: Path, fonts: tuple[Path, ...], lines: int, seed: int, out: Path) -> None:
    """Draw lines of a text with fonts, worn as if printed and scanned, as a file for `haleganada datasets add`."""
    try:
        texts = LineTexts.of_text(text_file.read_text(encoding="utf-8-sig"))
        found = find_fonts(fonts)
        count = write_lines(draw_lines(texts, found, lines, seed), out)
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{text_file} is not UTF-8; save it as UTF-8") from error
    except InvalidInput as error:
        raise click.ClickException(error.message) from error
    kind = "words of a list" if texts.is_list else "runs of words"
    click.echo(f"wrote {out}: {count:,} lines, {kind} in {len(found)} fonts")
