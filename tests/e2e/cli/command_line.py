"""The command line, run to its end: in this process, which takes milliseconds, or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from click.testing import CliRunner
from haleganada_client.cli import main

Done = subprocess.CompletedProcess[str]

AS_AT_A_TERMINAL = """
import signal
from haleganada_client.cli.root import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The command line where Ctrl-C counts: what a shell starts in the background ignores it. It is asked for here, not
with preexec_fn, in which gRPC's threads of this process may end the new one before it begins.
"""


def haleganada(*arguments: str | Path, stdin: bytes | None = None, **environment: str) -> Done:
    """Run the entry point in this process, with streams of its own; what starts a process needs the one below."""
    line = ["haleganada", *map(str, arguments)]
    settings = {"NO_COLOR": "1", **environment}
    with CliRunner().isolation(stdin, settings) as (stdout, stderr, _), mock.patch.object(sys, "argv", line):
        try:
            main()
        except SystemExit as end:
            assert isinstance(end.code, int)
            code = end.code
    return subprocess.CompletedProcess(line, code, stdout.getvalue().decode(), stderr.getvalue().decode())


def haleganada_process(*arguments: str | Path, stdin: bytes | None = None, **environment: str) -> Done:
    """Run the command as a shell does."""
    line = [sys.executable, "-m", "haleganada_client.cli", *map(str, arguments)]
    done = subprocess.run(
        line,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **environment},
    )
    return subprocess.CompletedProcess(line, done.returncode, done.stdout.decode(), done.stderr.decode())
