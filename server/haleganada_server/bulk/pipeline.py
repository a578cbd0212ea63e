"""The only place that knows Ray: blocks go to workers as a data set of Ray Data, and come back as they are finished."""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from haleganada_server.core.installation import describe_install

from .errors import BulkFailed
from .items import Item
from .state import pack
from .temporary import temporary_folder
from .worker import BlockWorker, Task

_STORE_BYTES = 256 * 2**20  # of Ray's shared memory: a block's rows are some hundred kilobytes


class BlockResult(NamedTuple):
    """The rows of a block. data: a Parquet file."""

    number: int
    rows: int
    bad: int
    data: bytes


def require_ray(address: str) -> None:
    """Import Ray Data. Raise BulkFailed, saying what to install, if it is not there. address: see join_cluster."""
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_BACKEND_LOG_LEVEL": "fatal",  # what ends nothing is not for the terminal
        "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    }
    if not address:  # whoever reaches Ray can run programs: it listens on the loopback only, and asks for a token
        settings |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
        settings["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ.update(settings)  # of which Ray reads some when it is imported
    try:
        import_module("pyarrow")
        import_module("ray.data")
    except ModuleNotFoundError as error:
        raise BulkFailed(f"bulk needs {error.name}, which is not installed: {describe_install('bulk')}") from error


@contextmanager
def join_cluster(address: str, workers: int) -> Iterator[None]:
    """Connect to a cluster of Ray, or start one on this machine, and leave it at the end. address: "" = this machine.
    workers: processes on this machine. Raises BulkFailed if there is no cluster.
    """
    import ray

    with ExitStack() as undo:
        chosen = {"address": address} if address else _own_cluster(workers, undo)
        try:
            with _silence():
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **chosen)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where = f"no cluster of Ray answers at {address}" if address else "Ray cannot be started on this machine"
            raise BulkFailed(f"{where} ({str(error).splitlines()[0]})") from error
        undo.callback(ray.shutdown)
        yield


def _own_cluster(workers: int, undo: ExitStack) -> dict[str, Any]:
    """Return the arguments of ray.init, which would take the address of an environment variable without one. undo: gets
    what removes Ray's logs and sockets.
    """
    short = "/tmp" if Path("/tmp").is_dir() else None  # a socket's path has 107 characters at most
    return {
        "_temp_dir": str(undo.enter_context(temporary_folder("haleganada-ray-", short))),
        "address": "local",
        "num_cpus": workers,
        "num_gpus": 0,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
        "_system_config": {
            "enable_metrics_collection": False,
            "worker_niceness": 0,  # more than the command's own; Ray's 15 would let any other program go first
        },
    }


@contextmanager
def _silence() -> Iterator[None]:
    """Drop what libraries write to standard error in the block, where Ray tells which level its log has; what this
    program says there comes through.
    """
    own = sys.stderr
    own.flush()
    with open(os.dup(2), "w", encoding=own.encoding, errors=own.errors, buffering=1) as kept:  # noqa: PTH123
        try:
            sys.stderr = kept
            with open(os.devnull, "wb") as nothing:  # noqa: PTH123
                os.dup2(nothing.fileno(), 2)
            yield
        finally:
            os.dup2(kept.fileno(), 2)
            sys.stderr = own


def compute(
    blocks: Iterable[tuple[int, Sequence[Item]]], task: Task, workers: int, is_local: bool
) -> Iterator[BlockResult]:
    """Yield the blocks as they are finished, in any order. workers: processes in the whole cluster. Raises BulkFailed
    for what would be wrong with every block, and if Ray fails.
    """
    import ray

    if not is_local:
        task = replace(task, packed=[ray.put(pack(Path(task.state)))], state="", scratch="")
    todo = [{"number": number, "items": json.dumps([item.to_json() for item in items])} for number, items in blocks]
    if not todo:
        return
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.print_on_execution_start = False
    made = ray.data.from_items(todo, override_num_blocks=len(todo)).map_batches(
        BlockWorker,
        fn_constructor_args=(task, ray.get),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(todo))),
        num_cpus=1,
    )
    try:
        for batch in made.iter_batches(batch_size=1, batch_format="numpy", prefetch_batches=0):
            if failure := str(batch["failure"][0]):
                raise BulkFailed(failure)
            yield BlockResult(*(batch[name][0] for name in BlockResult._fields))
    except ray.exceptions.RayError as error:
        raise BulkFailed(
            f"a worker failed ({_last_line(error)}); the finished blocks are kept, and the same command goes on"
        ) from error


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
