"""End a process that used torch, without the cleanup that may abort it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def exit_process(status: int) -> NoReturn:
    """Flush output and end this process without the cleanup of Python and C++.

    Threads of torch and gloo may outlive destroy_process_group. One that still runs while libraries are unloaded makes
    C++ abort a process whose work is done (“terminate called without an active exception”).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
