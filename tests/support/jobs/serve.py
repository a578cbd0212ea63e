"""A complete server, like `haleganada serve`, whose jobs run child.py, or another module: python serve.py PORT DATA
[MODULE].
"""

from __future__ import annotations

import sys
from pathlib import Path

from haleganada_server.config import ServerConfig
from haleganada_server.runtime.processes.job_process import JobProcessRunner
from haleganada_server.serve import run

CHILD = str(Path(__file__).with_name("child.py"))

if __name__ == "__main__":
    port, data, *module = sys.argv[1:]
    config = ServerConfig(Path(data), port=int(port), device="cpu")
    run(config, 10.0, JobProcessRunner((sys.executable, *(("-m", *module) if module else (CHILD,))), {}))
