"""Tokens in files, which neither a command line nor a list of processes shows."""

from __future__ import annotations

import sys
from pathlib import Path

from haleganada_client.errors import InvalidInput

STDIN = Path("-")
_MOST_BYTES = 16_384


def read_token_file(path: Path) -> str:
    """Return the token in a file, or on standard input for "-": its only line. Raise InvalidInput for a file that holds
    anything else, OSError for one that cannot be read.
    """
    if path == STDIN:
        content = sys.stdin.buffer.read(_MOST_BYTES)
    else:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    lines = content.decode("utf-8-sig", "replace").split()
    if len(lines) != 1:
        what = "nothing in it" if not lines else "more than a token in it"
        problem = f"{path} has {what}; a token's file holds the token alone, as `haleganada tokens add` prints it"
        raise InvalidInput(problem, "INVALID_INPUT", "token")
    return lines[0]
