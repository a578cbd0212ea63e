"""python -m haleganada_server.encoder_worker WEIGHTS: reads the drawings that a server passes on, see
runtime.reading_processes.

It composes what the server itself reads with, so that it sees the same to the last bit, and nothing more, so that it
starts soon and stays small. It holds no state: it may be killed at any time.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from haleganada_server.core.glyphs.micro_batch import PieceHere
from haleganada_server.runtime.encoder_messages import Message, pack_answer, unpack_question
from haleganada_server.runtime.frames import read_frame, write_frame
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import PillowInkReader, network_input


def main(arguments: Sequence[str]) -> int:
    """Answer until standard input ends, as it does when the server is gone, however that ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is the server's to handle
    weights = load_weights(Path(arguments[0]))
    reader = PieceHere(PillowInkReader(), OnnxEmbedder(weights, partial(network_input, side=weights.side), threads=1))
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a library may print is no answer
    write_frame(answers, {"ready": weights.hash})
    while (question := read_frame(questions)) is not None:
        write_frame(answers, *_answer(reader, question))
    return 0


def _answer(reader: PieceHere, question: Message) -> tuple[dict[str, Any], bytes]:
    try:
        return pack_answer(reader.see(unpack_question(question)))
    except Exception as error:  # the server reads this piece itself, and reports what it finds
        return {"failed": repr(error)}, b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
