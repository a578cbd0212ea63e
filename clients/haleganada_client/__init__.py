"""Thin clients of a Haleganada server: the typed SDK, the command line, the web page. They know the contract and no
more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import HaleganadaClient as HaleganadaClient
    from .connection import ClientConfig as ClientConfig
    from .errors import HaleganadaError as HaleganadaError
    from .types import Ink as Ink
    from .types import Stroke as Stroke

_HOMES = {
    "HaleganadaClient": "client",
    "ClientConfig": "connection",
    "HaleganadaError": "errors",
    "Ink": "types",
    "Stroke": "types",
}
__all__ = ["ClientConfig", "HaleganadaClient", "HaleganadaError", "Ink", "Stroke"]


def __getattr__(name: str) -> Any:
    """Import on first use: `haleganada --help` must not wait for grpc."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
