"""What people may have meant by a command or an option that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

import click

from .formatting import printable

_UNSAFE = frozenset({"--insecure", "--confirm", "--again", "--overwrite", "--no-verify"})
"""Options that take away a protection: nobody should use them because a program proposed it."""
_MIN_SIMILARITY = 0.75  # a slip of the finger; the default, 0.6, finds --insecure for --server
_SYNONYMS = {
    "add": "train", "delete": "forget", "guess": "predict", "learn": "train", "ocr": "read",
    "recognize": "predict", "remove": "forget", "rm": "forget", "run": "up", "start": "up", "status": "stats",
    "teach": "train", "workspace": "workspaces",
}  # fmt: skip
_SYNONYMS_IN_GROUPS = {"create": "add", "list": "ls", "remove": "delete", "rm": "delete", "get": "show"}


def describe_unknown_option(error: click.NoSuchOption) -> str:
    """Return a sentence for an option that the command does not have, with one that is spelled nearly so, if any."""
    command = error.ctx.command if error.ctx else None
    known = (
        [] if command is None else [flag for param in command.params for flag in (*param.opts, *param.secondary_opts)]
    )
    candidates = [flag for flag in known if flag.startswith("--") and flag not in _UNSAFE]
    message = f"there is no option {printable(error.option_name)}"
    return f"{message}{_did_you_mean(error.option_name, candidates)}"


def describe_unknown_command(word: str, commands: Iterable[str], listing_groups: Iterable[str] = ()) -> str:
    """Return a sentence for a word that is no command, with what it may stand for.

    listing_groups: the commands that list something, for people who type list.
    """
    message = f"there is no command “{printable(word)}”"
    groups = list(listing_groups)
    if word in ("list", "ls") and groups:
        return f"{message}; these have a command ls: {', '.join(groups)}"
    known = list(commands)
    synonym = (_SYNONYMS if groups else _SYNONYMS_IN_GROUPS).get(word)
    if synonym in known:
        return f"{message}; did you mean {synonym}?"
    return message + (_did_you_mean(word, known) or f"; choose one of {', '.join(known)}")


def _did_you_mean(word: str, candidates: Iterable[str]) -> str:
    from difflib import get_close_matches  # is slow to import, and only needed after a slip

    close = get_close_matches(word, list(candidates), 2, _MIN_SIMILARITY)
    return f"; did you mean {' or '.join(close)}?" if close else ""
