"""A job's process: python -m haleganada_server.training.job REQUEST.json, started by the server.

The request says what to do; job_channel describes how the process and the server talk. The last line is {"done": …} or
{"failed": …}, and the exit status is 0. When standard input ends, the process exits at once: its checkpoint stays in
the job's folder, and the same request resumes from it. torchrun can start several processes with the same request,
which then train together:

    torchrun --standalone --nproc-per-node 2 -m haleganada_server.training.job REQUEST.json
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from haleganada_server.training.common.job_channel import JobChannel
from haleganada_server.training.common.job_errors import describe_failure
from haleganada_server.training.common.process_exit import exit_process


def main(arguments: list[str]) -> int:
    """Carry out one request and return the exit status."""
    is_first = os.environ.get("RANK", "0") == "0"
    channel = JobChannel.take_over(silent=not is_first)
    request: dict[str, Any] = {}
    try:
        request = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        channel.report({"done": _carry_out(request, channel)})
    except Exception as error:
        traceback.print_exc()
        channel.report({"failed": describe_failure(error, _get_batch_size(request))})
        return 0 if is_first else 1  # so that torchrun ends the other processes, which would wait for this one
    return 0


def _carry_out(request: dict[str, Any], channel: JobChannel) -> dict[str, Any]:
    """Run the job. The imports are in here because they fail, and must be reported, where `train` is not installed."""
    has_lines = request["dataset"].get("kind") == "lines"
    if request["kind"] == "evaluation":
        if has_lines:
            from haleganada_server.training.lines.evaluation import run_line_evaluation as evaluate
        else:
            from haleganada_server.training.evaluation import run_evaluation as evaluate

        return evaluate(request, channel.report, channel.is_cancelled)
    from haleganada_server.training.common.process_group import join_process_group

    if has_lines:
        from haleganada_server.training.lines.run import run_line_training as run
    else:
        from haleganada_server.training.fit.run import run_training as run

    with join_process_group() as group:
        return run(request, channel.report, channel.is_cancelled, group)


def _get_batch_size(request: dict[str, Any]) -> int:
    """Return a training's batch size, the preset's if none was requested; 0 for any other job."""
    from haleganada_server.core.models.presets import PRESET_FACTS

    facts = PRESET_FACTS.get(request.get("preset", ""))
    return int(request.get("settings", {}).get("batch_size") or facts.defaults.batch_size) if facts else 0


if __name__ == "__main__":
    exit_process(main(sys.argv[1:]))
