"""The page as an application for other WSGI servers:

    gunicorn --threads 16 'haleganada_client.web.wsgi:make_app()'

One worker process: it keeps who has logged in. Settings come from the environment: HALEGANADA_TARGET and the other
variables of a client, and HALEGANADA_ALLOWED_HOSTS, names separated by commas.
"""

from __future__ import annotations

import atexit
import os

from flask import Flask

from haleganada_client.client import HaleganadaClient
from haleganada_client.connection.config import ClientConfig

from .app import create_app


def make_app() -> Flask:
    """Create the application, behind a proxy if HALEGANADA_BEHIND_PROXY is 1. Call it in the process that serves."""
    client = HaleganadaClient(config=ClientConfig.from_environment())
    atexit.register(client.close)
    names = filter(None, map(str.strip, os.environ.get("HALEGANADA_ALLOWED_HOSTS", "").split(",")))
    return create_app(client, tuple(names), behind_proxy=os.environ.get("HALEGANADA_BEHIND_PROXY") == "1")
