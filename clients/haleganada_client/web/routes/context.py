"""What every route needs: the client, and the workspace of the request."""

from __future__ import annotations

from flask import request

from haleganada_client.client import HaleganadaClient
from haleganada_client.web.sessions import sessions


def client() -> HaleganadaClient:
    """Return the client that shows the token of whoever makes the request; one without a token if nobody logged in."""
    return sessions().client()


def workspace() -> str | None:
    """Return the workspace named in ?workspace=, None for the client's own."""
    return request.args.get("workspace") or None
