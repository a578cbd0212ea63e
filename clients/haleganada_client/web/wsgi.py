"""The page as an application for other WSGI servers:

    gunicorn -w 4 --threads 16 'haleganada_client.web.wsgi:make_app()'

Several workers share who has logged in, in the file HALEGANADA_SESSIONS (sessions/shared.py). Settings come from the
environment: HALEGANADA_TARGET and the other variables of a client, and HALEGANADA_ALLOWED_HOSTS, names separated by
commas. HALEGANADA_TRUSTED_USER_HEADER, HALEGANADA_TRUSTED_PROXY (networks separated by commas)
and HALEGANADA_USER_TOKENS are the options of `haleganada web`.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from flask import Flask

from haleganada_client.client import HaleganadaClient
from haleganada_client.connection.config import ClientConfig

from .app import create_app
from .single_sign_on import make_single_sign_on


def make_app() -> Flask:
    """Create the application, behind a proxy if HALEGANADA_BEHIND_PROXY is 1. Call it in the process that serves."""
    client = HaleganadaClient(config=ClientConfig.from_environment())
    atexit.register(client.close)
    single_sign_on = make_single_sign_on(
        os.environ.get("HALEGANADA_TRUSTED_USER_HEADER", ""),
        _read_list("HALEGANADA_TRUSTED_PROXY"),
        Path(file) if (file := os.environ.get("HALEGANADA_USER_TOKENS")) else None,
    )
    return create_app(
        client,
        _read_list("HALEGANADA_ALLOWED_HOSTS"),
        behind_proxy=os.environ.get("HALEGANADA_BEHIND_PROXY") == "1",
        single_sign_on=single_sign_on,
    )


def _read_list(variable: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, os.environ.get(variable, "").split(","))))
