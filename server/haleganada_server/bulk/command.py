"""`haleganada bulk`: predicts, embeds, reads or teaches many files at once, on Ray Data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.labels import DEFAULT_WORKSPACE, workspace_name
from haleganada_server.core.limits import SCRIPT_LABELS
from haleganada_server.core.model_names import FEW_SHOT, LINE_ENGINE
from haleganada_server.core.reading.codec import options_to_json
from haleganada_server.core.reading.options import ReadingOrder, ReadMode, ReadOptions
from haleganada_server.logs import configure_logging
from haleganada_server.runtime.processes.child_processes import usable_cores
from haleganada_server.store.formats.image_folder import IMAGES

from .documents import DOCUMENTS
from .errors import BulkFailed
from .run import Job, Summary, run
from .state import Source
from .teaching import Lessons

F = TypeVar("F", bound=Callable[..., Any])
_INTERRUPTED = 130
_PICTURES_TOGETHER, _PAGES_TOGETHER = 256, 8
_ENDINGS = (".jsonl", ".parquet")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default="saved_model",
    show_default=True,
    help="The data directory with what was taught.",
)
_workspace_option = click.option(
    "--workspace", "-w", default=DEFAULT_WORKSPACE, show_default=True, metavar="NAME", help="The workspace."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options that all kinds of bulk work share; see _run_options."""

    inputs: tuple[str, ...]
    out: Path
    workers: int | None
    ray_address: str
    block_size: int | None
    fresh: bool
    overwrite: bool
    as_json: bool


@click.group()
def bulk() -> None:
    """Work on many files at once, on the cores of this machine or on a Ray cluster.

    INPUT is a picture, a folder, a zip file, or a pattern such as 'scans/*.png'. A server may use the data directory
    meanwhile. The whole run uses what had been taught when it began.

    To resume a run that was stopped or killed, repeat the command. A file that cannot be used becomes a row with its
    error, and the exit code is then 1.
    """


def _run_options(command: F) -> F:
    """Add the options of RunOptions to a command, which gets them as one argument."""
    options = [
        click.argument("inputs", nargs=-1, required=True, metavar="INPUT..."),
        click.option(
            "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, callback=_check_out,
            metavar="FILE.parquet|FILE.jsonl", help="The output file. Its ending selects the format.",
        ),
        click.option(
            "--workers", type=click.IntRange(1), help="How many worker processes to run. [default: one per core]"
        ),
        click.option(
            "--ray-address", default="", metavar="HOST:PORT",
            help="A Ray cluster whose machines see the inputs under the same paths. [default: this machine]",
        ),
        click.option(
            "--block-size", type=click.IntRange(1, 100_000), metavar="COUNT",
            help="How many files to finish together. After a kill, unfinished blocks are computed again. [default: 256 "
            "pictures, or 8 pages]",
        ),
        click.option("--fresh", is_flag=True, help="Start over instead of resuming an unfinished run."),
        click.option("--overwrite", is_flag=True, help="Replace a file of that name."),
        click.option("--json", "as_json", is_flag=True, help="Print the run's result as a JSON object."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _state_options(command: F) -> F:
    """Add --data, --store, --from, --workspace and --snapshot to a command."""
    options = [
        _data_option,
        click.option(
            "--store", default="", metavar="URL",
            help="A PostgreSQL database that servers share, postgresql://USER@HOST/DATABASE, from which to take the "
                "workspace; models come from --data. Needs the extra cluster.",
        ),
        click.option(
            "--from", "archive", type=_FILE, metavar="FILE",
            help="A file that `haleganada export` wrote, instead of a data directory.",
        ),
        _workspace_option,
        click.option(
            "--snapshot", default="", metavar="ID", help="A snapshot of the workspace. [default: as it is now]"
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _require_one_source(store: str, archive: Path | None, snapshot: str) -> None:
    """Refuse options that name several places of what was taught."""
    if store and archive is not None:
        raise click.UsageError("--store and --from both say where the workspace is; name one of them")
    if store and snapshot:
        raise click.UsageError(
            "snapshots are in the data directories of servers; name one with --data, without --store"
        )


def _check_out(context: click.Context, parameter: click.Parameter, out: Path) -> Path:
    del context, parameter
    if out.suffix.lower() not in _ENDINGS:
        raise click.BadParameter(f"name a file that ends in {' or '.join(_ENDINGS)}")
    return out


@bulk.command("predict")
@_run_options
@_state_options
@click.option(
    "--model", default="", metavar="NAME|ID", help="A model. [default: the one that answers in the workspace]"
)
@click.option("--top-k", type=click.IntRange(1, 100), default=5, show_default=True, help="Candidates of each picture.")
@click.option(
    "--script-labels",
    metavar="N",
    type=click.IntRange(*SCRIPT_LABELS.bounds),
    default=0,
    help="How many letters the script has in all, taught or not, so that answers are as sure as they should be. "
    "[default: not known]",
)
def predict(
    data: Path,
    store: str,
    archive: Path | None,
    workspace: str,
    snapshot: str,
    model: str,
    top_k: int,
    script_labels: int,
    **given: Any,
) -> None:
    """Recognize pictures of characters, one in each file."""
    _require_one_source(store, archive, snapshot)
    source = Source(data=data, store=store, archive=archive, workspace=workspace, snapshot=snapshot, model=model)
    settings = {"top_k": top_k, "script_labels": script_labels}
    _carry_out("predict", settings, source, IMAGES, _PICTURES_TOGETHER, RunOptions(**given))


@bulk.command("read")
@_run_options
@_state_options
@click.option(
    "--mode", type=click.Choice([mode.value for mode in ReadMode]), default=ReadMode.AUTO.value, show_default=True,
    help="What is on the pages; taught reads the workspace's own script.",
)  # fmt: skip
@click.option("--engine", default="", metavar="NAME", help="The engine. [default: one that suits mode and languages]")
@click.option(
    "--lang", "-l", "languages", multiple=True, metavar="CODE",
    help="A language of the text, the main one first; can be repeated. [default: the engine's choice]",
)  # fmt: skip
@click.option(
    "--order", type=click.Choice([order.value for order in ReadingOrder]), default=ReadingOrder.LEFT_TO_RIGHT.value,
    show_default=True, help="In which order to read the glyphs of a page in a taught script.",
)  # fmt: skip
def read(
    data: Path,
    store: str,
    archive: Path | None,
    workspace: str,
    snapshot: str,
    mode: str,
    engine: str,
    languages: tuple[str, ...],
    order: str,
    **given: Any,
) -> None:
    """Read the text of pages: pictures, TIFF and PDF. The output has a row for each page."""
    options = ReadOptions(mode=ReadMode(mode), engine=engine, languages=languages, reading_order=ReadingOrder(order))
    source = Source()
    if options.taught_workspace or engine.startswith(LINE_ENGINE):
        _require_one_source(store, archive, snapshot)
        source = Source(
            data=data,
            store=store,
            archive=archive,
            workspace=workspace,
            snapshot=snapshot,
            model=FEW_SHOT,
            engine=engine,
        )
    _carry_out("read", {"options": options_to_json(options)}, source, DOCUMENTS, _PAGES_TOGETHER, RunOptions(**given))


@bulk.command("embed")
@_run_options
def embed(**given: Any) -> None:
    """Compute the embeddings of pictures of characters: 256 numbers each, close together for one character."""
    _carry_out("embed", {}, Source(), IMAGES, _PICTURES_TOGETHER, RunOptions(**given))


@bulk.command("teach")
@_run_options
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default="saved_model",
    show_default=True,
    help="The data directory to teach; with --store, a folder that no server uses, for the snapshot before the change.",
)
@click.option(
    "--store",
    default="",
    metavar="URL",
    help="Teach a workspace in a PostgreSQL database, postgresql://USER@HOST/DATABASE, beside the servers that share "
    "it. Needs the extra cluster.",
)
@click.option(
    "--objects",
    default="",
    metavar="FOLDER|URL",
    help="With --store: what those servers have as --objects, so that each of them can restore the snapshot.",
)
@_workspace_option
@click.option(
    "--folder-names", type=click.Choice([rule.value for rule in FolderNames]), default=FolderNames.AUTO.value,
    show_default=True, help="How to read folders that are named by numbers.",
)  # fmt: skip
def teach(data: Path, store: str, objects: str, workspace: str, folder_names: str, **given: Any) -> None:
    """Teach pictures in folders that are named after their labels: ಅ, U+0C85 or 3205.

    Workers encode them; at the end, all are taught as one change, like an import. No server may use the data directory
    while the command begins, and while it ends. With --store, servers go on; who teaches the same workspace waits for
    that change. What was taught before from the same folders is recognized and skipped. The output tells which pictures
    could not be used.
    """
    if objects and not store:
        raise click.UsageError("--objects is for servers that share a database; name it with --store")
    lessons = Lessons(
        data=data,
        store=store,
        objects=objects,
        workspace=workspace_name(workspace),
        folder_names=FolderNames(folder_names),
    )
    _carry_out("teach", {}, Source(), IMAGES, _PICTURES_TOGETHER, RunOptions(**given), lessons)


def _carry_out(
    kind: str,
    settings: dict[str, Any],
    source: Source,
    suffixes: tuple[str, ...],
    together: int,
    options: RunOptions,
    lessons: Lessons | None = None,
) -> None:
    configure_logging("error")
    job = Job(
        kind=kind,
        settings=settings,
        inputs=options.inputs,
        suffixes=suffixes,
        source=source,
        lessons=lessons,
        out=options.out,
        block_size=options.block_size or together,
        workers=options.workers or usable_cores(),
        ray_address=options.ray_address,
        fresh=options.fresh,
        overwrite=options.overwrite,
    )
    try:
        summary = run(job, lambda text: click.echo(text, err=True))
    except KeyboardInterrupt:
        click.echo("haleganada bulk: stopped; what is finished is kept, and the same command goes on.", err=True)
        sys.exit(_INTERRUPTED)
    except BulkFailed as error:
        click.echo(f"haleganada bulk: {error.message}.", err=True)
        sys.exit(error.status)
    _print(job, summary, options.as_json)
    _end(1 if summary.bad else 0)


def _end(status: int) -> NoReturn:
    """End the process at once. All is written and closed; taking down what Ray has loaded would take a second."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _print(job: Job, summary: Summary, as_json: bool) -> None:
    good = summary.items - summary.bad
    if as_json:
        counts = {"items": summary.items, "good": good, "bad": summary.bad, "out": str(job.out)}
        click.echo(json.dumps({**counts, **summary.facts}, ensure_ascii=False))
    else:
        taught = ", {taught:,} taught, {known:,} known already".format(**summary.facts) if job.lessons else ""
        click.echo(f"{summary.items:,} items, {good:,} good, {summary.bad:,} bad{taught}: {job.out}")
