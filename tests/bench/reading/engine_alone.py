"""An engine by itself, without preparation and server: python -m tests.bench.reading.engine_alone ENGINE FILE…

Prints “ready” when its models are loaded, waits for a line, reads the files, and prints the seconds of processor time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from haleganada_server.core.reading.options import ReadMode
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.engines import find_engine
from haleganada_server.reading.engines.port import EngineRequest, TextEngine


def main(engine_id: str, files: Sequence[str]) -> None:
    engine, request = find_engine(engine_id), EngineRequest(mode=ReadMode.PRINTED)
    read(engine, files[0], request)
    print("ready", flush=True)
    sys.stdin.readline()
    before_s = time.process_time()
    for file in files:
        read(engine, file, request)
    print(time.process_time() - before_s)


def read(engine: TextEngine, file: str, request: EngineRequest) -> None:
    document = open_document(Path(file))
    engine.read_page(document.draw(1), request)
    document.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
