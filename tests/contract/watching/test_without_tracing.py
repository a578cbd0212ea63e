"""A server that is to trace without the extra for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from haleganada_server.app import build_app
from haleganada_server.config import ServerConfig
from haleganada_server.core.errors import Precondition


def test_what_to_install_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "haleganada_server.rpc.tracing", raising=False)
    with pytest.raises(Precondition, match="tracing"):
        build_app(ServerConfig(tmp_path, port=0, trace="http://127.0.0.1:4317"))
