"""What every route needs: the client, and the workspace of the request."""

from __future__ import annotations

from typing import cast

from flask import current_app, request

from haleganada_client.client import HaleganadaClient


def client() -> HaleganadaClient:
    """Return the one client of this process."""
    return cast(HaleganadaClient, current_app.extensions["haleganada"])


def workspace() -> str | None:
    """Return the workspace named in ?workspace=, None for the client's own."""
    return request.args.get("workspace") or None
