"""Options that `read` and `segment` share: how to read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from haleganada_client.cli.files.page_list import parse_page_list
from haleganada_client.limits import MAX_ALTERNATIVES, MAX_LEXICON_WORD_LENGTH
from haleganada_client.reading.words import MODES, PREPARATION_STEPS, READING_ORDERS

FORMATS_TEXT = """\b
text   plain text
json   everything that was found
hocr   hOCR 1.2
alto   ALTO 4 (XML); a zip if there are several pages
page   PAGE XML; a zip if there are several pages
pdf    the document as a PDF with text to search and copy
tsv    a row for each block, line, word and glyph, with its box
words  a zip in the layout of the IAM database: words.txt, words/, page/
crops  a zip with a picture of each line, word and glyph"""
F = TypeVar("F", bound=Callable[..., Any])


def reading_options(command: F) -> F:
    """Add --mode, --engine, --lang, --order, --lexicon, --alternatives, --pages and --skip to a command."""
    options = [
        click.option(
            "--mode",
            type=click.Choice(MODES),
            default="auto",
            show_default=True,
            help="What is on the pages; auto decides for each region, taught reads the workspace's own script.",
        ),
        click.option(
            "--engine",
            default="",
            metavar="NAME",
            help="The engine to use; `haleganada engines` lists them. [default: one that suits mode and languages]",
        ),
        click.option(
            "--lang",
            "-l",
            "languages",
            multiple=True,
            metavar="CODE",
            callback=_split_languages,
            help="A language of the text, the main one first, for example kn or kan+eng. Can be repeated. "
            "[default: the engine's choice]",
        ),
        click.option(
            "--order",
            "reading_order",
            type=click.Choice(READING_ORDERS),
            default=READING_ORDERS[0],
            show_default=True,
            help="In which order to read the glyphs of a page in a taught script.",
        ),
        click.option(
            "--lexicon",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            callback=_read_words,
            help="A text or a list of words in UTF-8. Models of lines prefer its words to others that look alike.",
        ),
        click.option(
            "--alternatives",
            type=click.IntRange(0, MAX_ALTERNATIVES),
            default=0,
            show_default=True,
            help="How many alternatives of each line to show, from models of lines. Only --json and --format json show "
            "them.",
        ),
        click.option(
            "--pages",
            metavar="LIST",
            callback=_check_pages,
            help="Only these pages, for example 1,3-7,20-.",
        ),
        click.option(
            "--skip",
            "skipped_steps",
            multiple=True,
            type=click.Choice(PREPARATION_STEPS),
            help="A preparation step to leave out. Can be repeated.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _split_languages(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Split lists such as kan+eng, as Tesseract has them."""
    del context, parameter
    return tuple(language for value in values for language in re.split(r"[+,\s]+", value) if language)


def _read_words(context: click.Context, parameter: click.Parameter, path: Path | None) -> tuple[str, ...]:
    """Return the distinct words of a file. Raise click.BadParameter."""
    try:
        words = dict.fromkeys(path.read_text(encoding="utf-8-sig").split()) if path else {}
    except UnicodeDecodeError:
        raise click.BadParameter(f"{path} is not UTF-8; save it as UTF-8", context, parameter) from None
    return tuple(word for word in words if len(word) <= MAX_LEXICON_WORD_LENGTH)


def _check_pages(context: click.Context, parameter: click.Parameter, pages: str | None) -> str:
    """Return the list of pages, "" for all. Raise click.BadParameter."""
    if pages is None:
        return ""
    try:
        return parse_page_list(pages)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None
