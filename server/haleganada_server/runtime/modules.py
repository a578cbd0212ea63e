"""What this installation lacks, said before a process is started that could not do without it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition


def require_modules(names: Iterable[str], purpose: str) -> None:
    """purpose: what cannot be done without, as “learn online”. Raises Precondition unless all of them are installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise Precondition(
            f"this server cannot {purpose}, for it has no {' and no '.join(missing)}; where it runs: pip install "
            "'haleganada[train]', then start it anew",
            Reason.TORCH_NOT_INSTALLED,
        )
