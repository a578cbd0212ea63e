"""A job's process: python -m haleganada_server.training.job REQUEST.json, started by the server.

The request says what to do; job_channel says how the two talk. It ends with one line, {"done": …} or {"failed": …}, and
status 0. When standard input ends, it leaves at once: the checkpoint is in the job's folder, and the same request
goes on from there. Several processes train together under torchrun, with the same request:

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


def main(arguments: list[str]) -> int:
    """Carry out one request; the exit status."""
    first = os.environ.get("RANK", "0") == "0"
    channel = JobChannel.take_over(silent=not first)
    request: dict[str, Any] = {}
    try:
        request = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        channel.report({"done": _carry_out(request, channel)})
    except Exception as error:
        traceback.print_exc()
        channel.report({"failed": describe_failure(error, _batch_size(request))})
        return 0 if first else 1  # torchrun then ends the others, which would wait for this one
    return 0


def _carry_out(request: dict[str, Any], channel: JobChannel) -> dict[str, Any]:
    """Importing is part of the work: it fails where the `train` extra is missing."""
    if request["kind"] == "evaluation":
        from haleganada_server.training.evaluation import run_evaluation

        return run_evaluation(request, channel.report, channel.cancelled)
    from haleganada_server.training.fit.processes import joined_processes
    from haleganada_server.training.fit.run import run_training

    with joined_processes() as processes:
        return run_training(request, channel.report, channel.cancelled, processes)


def _batch_size(request: dict[str, Any]) -> int:
    """Of a training: as asked for, else the preset's; 0 for anything else."""
    from haleganada_server.core.models.presets import PRESET_FACTS

    facts = PRESET_FACTS.get(request.get("preset", ""))
    return int(request.get("settings", {}).get("batch_size") or facts.defaults.batch_size) if facts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
