"""python -m haleganada_server.encoder_worker WEIGHTS: encode the drawings that a server sends; see
runtime/processes/encoder_pool.py.

The worker composes the same parts as the server, so its results are identical to the last bit, and nothing else, so it
starts fast and stays small. It holds no state: it may be killed at any time.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from haleganada_server.core.glyphs.micro_batch import LocalBatchEncoder
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.processes.encoder_messages import Message, pack_response, unpack_request
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import PillowRasterizer, network_input


def main(arguments: Sequence[str]) -> int:
    """Answer requests until standard input ends, which it does when the server is gone, for whatever reason."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is for the server
    weights = load_weights(Path(arguments[0]))
    embedder = OnnxEmbedder(weights, partial(network_input, side=weights.side), threads=1)
    encoder = LocalBatchEncoder(PillowRasterizer(), embedder)
    requests, responses = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get between the responses
    with suppress(BrokenPipeError):  # the server was killed while this worker started or encoded
        write_frame(responses, {"ready": weights.hash})
        while (request := read_frame(requests)) is not None:
            write_frame(responses, *_respond(encoder, request))
    return 0


def _respond(encoder: LocalBatchEncoder, request: Message) -> Message:
    try:
        return pack_response(encoder.encode(unpack_request(request)))
    except Exception as error:  # the server then encodes this micro-batch itself, and reports what it finds
        return {"failed": repr(error)}, b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
