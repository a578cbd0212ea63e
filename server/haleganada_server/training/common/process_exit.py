"""How a process that used torch ends."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def exit_process(status: int) -> NoReturn:
    """End this process once what it printed is written, without the cleanup of Python and C++.

    Threads of torch and gloo may outlive destroy_process_group. One that still runs while the libraries are taken down
    makes C++ abort a process whose work is done (“terminate called without an active exception”).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
