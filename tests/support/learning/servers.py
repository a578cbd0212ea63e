"""Servers whose learners need no torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haleganada_server.config import ServerConfig
from haleganada_server.runtime.processes.learner_process import LearnerProcessRunner

from tests.conftest import RunningServer, run_server

STAND_IN = LearnerProcessRunner((sys.executable, str(Path(__file__).with_name("stand_in.py"))), ())


@contextmanager
def learning_server(data: Path, backbone_weights: tuple[Path, ...] = ()) -> Iterator[RunningServer]:
    """Run a server in this process, whose learners are stand_in.py."""
    config = ServerConfig(data, port=0, device="cpu", backbone_weights=backbone_weights)
    started = run_server(config, None, STAND_IN)
    try:
        yield started
    finally:
        started.stop()
