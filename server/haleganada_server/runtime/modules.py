"""Checks that modules are installed before a process that needs them is started."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.installation import describe_install


def require_modules(names: Iterable[str], purpose: str) -> None:
    """Raise Precondition unless all these modules are installed. purpose: what they are for, like “learn online”."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise Precondition(
            f"this server cannot {purpose} without {' and '.join(missing)}; run "
            f"{describe_install('train')} where the server runs, then restart it",
            Reason.TORCH_NOT_INSTALLED,
        )
