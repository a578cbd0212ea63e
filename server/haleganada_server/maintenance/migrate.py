"""`haleganada migrate`: moves what was taught from a data directory to a PostgreSQL database, or back."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import HaleganadaError, Precondition
from haleganada_server.core.installation import describe_install
from haleganada_server.core.labels import workspace_name
from haleganada_server.logs import configure_logging
from haleganada_server.store import DataDirectory
from haleganada_server.store.backup.backup import Backup, describe_failure, describe_problem
from haleganada_server.store.workspaces.lock import is_in_use
from haleganada_server.vision import PillowRasterizer

if TYPE_CHECKING:
    from haleganada_server.store.moving.moved import Moved
    from haleganada_server.store.postgres.database import Database

_DATABASES = ("postgresql://", "postgres://")
_DELETED = "deleted"


@click.command()
@click.option("--from", "source", required=True, metavar="DIR|URL", help="The data directory or database to move from.")
@click.option("--to", "target", required=True, metavar="URL|DIR", help="The database or data directory to move to.")
@click.option("--workspace", "-w", metavar="NAME", help="Move only this workspace.")
@click.option(
    "--rest",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder for what a database does not take: snapshots, models, data sets, jobs, readings, tokens. Start "
    "one of the servers with it as --data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each workspace.")
def migrate(source: str, target: str, workspace: str | None, rest: Path | None, as_json: bool) -> None:
    """Move what was taught from a data directory to a PostgreSQL database (--to postgresql://…), or from a database to
    a data directory.

    A server may use the source meanwhile, and teach: nothing in the source changes. What is taught during the move is
    moved when you run the command again; it then only moves what is new. So move first, then stop the server, move
    the rest, and start servers with --store: nobody waits long.

    Before a move counts, every row is compared with its original, and so are the chains of checksums. You may stop the
    command at any time and repeat it: a workspace is moved as a whole or not at all. One of the same name with
    another history is never replaced, nor is one to which more was taught at the destination.

    Keep the password in ~/.pgpass or PGPASSWORD. The exit code is 1 if anything could not be moved.
    """
    configure_logging("error")
    if source.startswith(_DATABASES) == target.startswith(_DATABASES):
        raise click.UsageError("one of --from and --to is a data directory, the other a database: postgresql://…")
    try:
        name = workspace_name(workspace) if workspace else ""
        with ExitStack() as stack:
            if target.startswith(_DATABASES):
                failed = _move_to_database(Path(source), target, name, rest, as_json, stack)
            else:
                if rest is not None:
                    raise click.UsageError("--rest is for moving to a database; a directory has room for everything")
                failed = _move_to_directory(source, Path(target), name, as_json, stack)
    except Precondition as error:  # nothing was begun
        _exit_with_error(error.message)
    except (HaleganadaError, OSError) as error:
        sentence = error.message if isinstance(error, HaleganadaError) else str(error)
        _exit_with_error(f"{sentence}. What was moved so far is whole; run the command again")
    if failed:
        _exit_with_error("something was not moved; see above")


def _move_to_database(source: Path, url: str, name: str, rest: Path | None, as_json: bool, stack: ExitStack) -> bool:
    if not (source / "workspaces").is_dir():
        raise click.UsageError(f"{source} is not a data directory")
    if rest is not None and (problem := describe_problem(source, rest, None)):
        raise click.UsageError(problem)
    database = _open_database(url, stack)
    from haleganada_server.store.moving.rest import list_answering_models, list_rest
    from haleganada_server.store.moving.to_database import move_to_database

    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haleganada-migrate-")))
    failed = _report(move_to_database(source, database, scratch, name), name, database.address, as_json)
    notes = []
    if rest is not None:
        failed |= _copy_rest(source, rest, as_json)
    elif kept := ", ".join(list_rest(source)):
        notes.append(f"not in the database: {kept}. They stay in {source}; --rest copies them for one of the servers")
    if answering := [f"“{one}”" for one in list_answering_models(source)]:
        notes.append(
            f"a model answers for {', '.join(answering)}; in the database, what they were taught does. Where servers "
            "share models (serve --objects), activate it there; Predict takes a model by its name"
        )
    if is_in_use(source):
        notes.append(
            f"a server uses {source}: what it is taught from now on is not moved. Stop it, run this again, which is "
            "quick, and start servers with --store"
        )
    else:
        notes.append(f"start servers with --store now. {source} is as it was; keep it, and teach nothing more there")
    _say(notes, as_json)
    return failed


def _move_to_directory(url: str, target: Path, name: str, as_json: bool, stack: ExitStack) -> bool:
    database = _open_database(url, stack)
    from haleganada_server.store.moving.to_directory import move_to_directory

    directory = stack.enter_context(closing(DataDirectory(target, PillowRasterizer())))
    failed = _report(move_to_directory(database, directory, name), name, str(target), as_json)
    notes = [
        "snapshots, models, data sets, jobs, readings and tokens are in the data directories of the servers: copy what "
        f"you need to {target}, or name such a directory with --to",
        "what is taught in the database from now on is not moved: stop its servers, run this again, which moves what "
        f"is new, and start haleganada serve --data {target}",
    ]
    _say(notes, as_json)
    return failed


def _open_database(url: str, stack: ExitStack) -> Database:
    """Connect, and let the stack close the connections. Raises Precondition."""
    try:
        from haleganada_server.store.postgres.database import Database
    except ModuleNotFoundError as error:
        raise Precondition(
            f"a database needs {error.name}, which is not installed: {describe_install('cluster')}",
            StartReason.CLUSTER_NOT_INSTALLED,
        ) from error
    database = Database(url)
    stack.callback(database.close)
    return database


def _copy_rest(source: Path, rest: Path, as_json: bool) -> bool:
    """Copy what a database does not take; return whether something is damaged."""
    problems = 0
    try:
        for part in Backup(source, rest, leaves_out_logs=True).run():
            problems += bool(part.problem)
            if not as_json or part.problem:
                click.echo(f"{part.what}: {part.problem}" if part.problem else f"{part.what}: copied", err=as_json)
    except OSError as error:
        _exit_with_error(describe_failure(error).rstrip("."))
    _say([f"the rest is in {rest}; start one of the servers with --data {rest}"], as_json)
    return problems > 0


def _report(moved: Iterator[Moved], name: str, where: str, as_json: bool) -> bool:
    """Print a line for each workspace, and the sums; return whether something was not moved."""
    sums: Counter[str] = Counter()
    failed, found, deleted = False, False, 0
    for one in moved:
        found, failed = True, failed or bool(one.problem)
        deleted += one.outcome.value == _DELETED
        if as_json:
            click.echo(json.dumps(_to_json(one), ensure_ascii=False))
        elif one.outcome.value != _DELETED or name or one.problem:
            click.echo(_describe(one))
        if one.compared is not None:
            counts = {"sample": one.compared.samples, "change": one.compared.events, "link": one.compared.links}
            sums.update({"workspace": 1, **counts})
    if name and not found:
        raise click.UsageError(f"there is no workspace “{name}”")
    counted = ", ".join(_count(count, what) for what, count in sums.items()) or "nothing"
    notes = [f"{_count(deleted, 'deleted workspace')} of the source: there is nothing to move"] if deleted else []
    _say([*notes, f"compared row by row, and the same in {where}: {counted}"], as_json)
    return failed


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _describe(one: Moved) -> str:
    counted = ""
    if one.compared is not None:
        samples, events = one.compared.samples, one.compared.events
        counted = f", {_count(samples, 'sample')} and {_count(events, 'change')} are the same"
        if one.compared.reembedded:
            counted += f", {one.compared.reembedded} of them embedded by other weights"
    more = "".join(f"; {text}" for text in (one.note, one.problem) if text)
    at = f" at revision {one.revision}" if one.revision else ""
    return f"workspace “{one.name}”{at}: {one.outcome.value}{counted}{more}"


def _to_json(one: Moved) -> dict[str, object]:
    compared = one.compared
    return {
        "workspace": one.name,
        "outcome": one.outcome.value,
        "revision": one.revision,
        "samples": compared.samples if compared else None,
        "changes": compared.events if compared else None,
        "links": compared.links if compared else None,
        "note": one.note,
        "problem": one.problem,
    }


def _say(sentences: list[str], as_json: bool) -> None:
    for sentence in sentences:
        click.echo(f"{sentence[0].upper()}{sentence[1:]}.", err=as_json)


def _exit_with_error(sentence: str) -> None:
    click.echo(f"haleganada migrate: {sentence}.", err=True)
    sys.exit(1)
