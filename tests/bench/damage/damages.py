"""Ways to damage a file, and an ear for what the server's log says about it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGE = 4096
Damage = Callable[[bytearray, random.Random], None]


def _flip(content: bytearray, chance: random.Random) -> None:
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _truncate(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def _overwrite_page(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content)) // _PAGE * _PAGE
    end = min(start + _PAGE, len(content))
    content[start:end] = chance.randbytes(end - start)


def _zero(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    end = min(start + chance.randrange(1, 2000), len(content))
    content[start:end] = bytes(end - start)


def _swap(content: bytearray, chance: random.Random) -> None:
    """Swap two stretches of the same length."""
    length = min(300, len(content) // 2)
    one, other = chance.randrange(len(content) - length), chance.randrange(len(content) - length)
    kept = bytes(content[one : one + length])
    content[one : one + length] = content[other : other + length]
    content[other : other + length] = kept


_DAMAGES: tuple[Damage, ...] = (_flip, _flip, _truncate, _overwrite_page, _zero, _swap)


def damage_file(path: Path, chance: random.Random, *, may_vanish: bool = True) -> None:
    """Damage a file in one of the ways, chosen by chance. may_vanish: removing it is one of them."""
    if may_vanish and chance.randrange(len(_DAMAGES) + 1) == 0:
        path.unlink()
        return
    content = bytearray(path.read_bytes())
    chance.choice(_DAMAGES)(content, chance)
    path.write_bytes(content)


class Told(logging.Handler):
    """Counts the warnings in the server's log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        del record
        self.count += 1


@contextmanager
def listen() -> Iterator[Told]:
    """Count the warnings that are logged in the block."""
    told = Told()
    logging.getLogger().addHandler(told)
    try:
        yield told
    finally:
        logging.getLogger().removeHandler(told)
