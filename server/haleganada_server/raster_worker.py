"""python -m haleganada_server.raster_worker: decode the pictures of data sets that a server sends; see
runtime/processes/raster_workers.py.

It calls what the server itself would call, so its rasters are identical to the last bit. It holds no state: it may be
killed at any time.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.outcomes import Outcome, strip_traceback
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.runtime.processes.raster_messages import (
    DecodedPicture,
    Message,
    Picture,
    pack_response,
    unpack_request,
)
from haleganada_server.vision import decode_for_dataset


def main() -> int:
    """Answer requests until standard input ends, which it does when the server is gone, for whatever reason."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is for the server
    requests, responses = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get between the responses
    with suppress(BrokenPipeError):  # the server was killed meanwhile
        write_frame(responses, {"ready": True})
        while (request := read_frame(requests)) is not None:
            write_frame(responses, *_respond(request))
    return 0


def _respond(request: Message) -> Message:
    try:
        return pack_response([_decode(picture) for picture in unpack_request(request)])
    except Exception as error:  # the server then decodes these pictures itself, and reports what it finds
        return {"failed": repr(error)}, b""


def _decode(picture: Picture) -> Outcome[DecodedPicture]:
    try:
        return decode_for_dataset(picture)
    except InvalidInput as error:
        return strip_traceback(error)


if __name__ == "__main__":
    sys.exit(main())
