"""A complete server, like `haleganada serve`, whose jobs run child.py: python serve.py PORT DATA."""

from __future__ import annotations

import sys
from pathlib import Path

from haleganada_server.config import ServerConfig
from haleganada_server.runtime.job_process import JobProcessRunner
from haleganada_server.serve import run

CHILD = Path(__file__).with_name("child.py")

if __name__ == "__main__":
    config = ServerConfig(Path(sys.argv[2]), port=int(sys.argv[1]), device="cpu")
    run(config, 10.0, JobProcessRunner((sys.executable, str(CHILD)), {}))
