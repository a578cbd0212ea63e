"""characters: what a text consists of, for letters that look alike."""

from __future__ import annotations

import unicodedata

import click

from haleganada_client.cli.formatting import format_table
from haleganada_client.cli.session import Session, with_session
from haleganada_client.label_text import find_script


@click.command("characters")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@with_session
def characters_command(session: Session, texts: tuple[str, ...]) -> None:
    """Show the code points of each TEXT, with their Unicode names and scripts. Needs no server."""
    characters = [character for text in texts for character in unicodedata.normalize("NFC", text)]
    value = [
        {
            "character": character,
            "code_point": f"U+{ord(character):04X}",
            "name": unicodedata.name(character, "without a name"),
            "script": find_script(character),
        }
        for character in characters
    ]
    rows = [[fact["character"], fact["code_point"], fact["script"] or "-", fact["name"]] for fact in value]
    session.show(value, format_table(rows, ["", "code point", "script", "name"]))
