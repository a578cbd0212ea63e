"""What was refused, in groups of the same reason: a thousand lines that say the same hide the one that does not."""

from __future__ import annotations

from collections.abc import Iterable

from haleganada_client.cli.formatting import printable

_NAMED = 3


def group_refused(refused: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each reason, in the order in which reasons first occur. refused: names with reasons."""
    names: dict[str, list[str]] = {}
    for name, reason in refused:
        names.setdefault(reason, []).append(name)
    return [_describe(reason, own) for reason, own in names.items()]


def _describe(reason: str, names: list[str]) -> str:
    shown = ", ".join(map(printable, names[:_NAMED]))
    if len(names) == 1:
        return f"{shown}: {printable(reason)}"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{len(names):,} × {printable(reason)}: {shown}{more}"
