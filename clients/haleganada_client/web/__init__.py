"""The web page and the REST routes: a small Flask proxy that talks gRPC through the SDK. No model code."""

from __future__ import annotations

from .app import create_app
from .serving import run_web

__all__ = ["create_app", "run_web"]
