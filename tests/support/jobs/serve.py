"""A complete server, like `haleganada serve`, whose jobs run child.py, or another module: python serve.py PORT DATA
[MODULE] [store=URL] [objects=URL] [lease=SECONDS].
"""

from __future__ import annotations

import sys
from pathlib import Path

from haleganada_server.config import ServerConfig
from haleganada_server.runtime.processes.job_process import JobProcessRunner
from haleganada_server.serve import run

CHILD = str(Path(__file__).with_name("child.py"))

if __name__ == "__main__":
    port, data, *rest = sys.argv[1:]
    module = [word for word in rest if "=" not in word]
    shared = dict(word.split("=", 1) for word in rest if "=" in word)
    config = ServerConfig(
        Path(data),
        port=int(port),
        device="cpu",
        store=shared.get("store", ""),
        objects=shared.get("objects", ""),
        job_lease_s=float(shared.get("lease", 15)),
    )
    run(config, 10.0, JobProcessRunner((sys.executable, *(("-m", *module) if module else (CHILD,))), {}))
