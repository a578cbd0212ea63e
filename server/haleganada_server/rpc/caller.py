"""Who calls, as far as the log of a workspace keeps it."""

from __future__ import annotations

from urllib.parse import unquote

import grpc


def caller(context: grpc.ServicerContext) -> str:
    """The caller's address without its port, for example "127.0.0.1" or "[::1]"."""
    _scheme, _, address = unquote(context.peer()).partition(":")
    return address.rpartition(":")[0] or address
