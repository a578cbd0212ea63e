"""train --offline-ok: drawings go through the outbox, where they wait while the server cannot be reached."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.pictures import Picture
from haleganada_client.cli.formatting import format_count
from haleganada_client.cli.output.file_errors import describe_file_error
from haleganada_client.cli.output.refusals import group_refused
from haleganada_client.cli.output.taught_sample import describe_taught
from haleganada_client.cli.session import Session
from haleganada_client.cli.setting_names import name_options
from haleganada_client.errors import DeadlineExceeded, FailedPrecondition, HaleganadaError, Unavailable
from haleganada_client.outbox import KeptLesson, Outbox
from haleganada_client.types import ItemError, Taught


@dataclass(frozen=True, kw_only=True)
class OfflineLesson:
    """A picture to teach. The other fields are as in KeptLesson."""

    picture: Picture
    request_id: str
    variant_of: str
    known_drawings: str
    batch_id: str = ""
    synthetic: bool = False


@dataclass
class _Outcome:
    """What became of the drawings of this command, and how many were sent that had waited."""

    taught: list[Taught] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    earlier: int = 0
    absence: str = ""


def teach_or_keep(session: Session, lessons: Iterable[OfflineLesson]) -> None:
    """Keep the drawings, then send all that waits for the server, in order, and say what became of it."""
    outbox, outcome = Outbox(), _Outcome()
    names: list[str] = []
    with session.client() as client:

        def sound_ones() -> Iterator[KeptLesson]:
            for lesson in lessons:
                if lesson.picture.problem is not None:
                    outcome.refused.append((lesson.picture.name, lesson.picture.problem.message))
                    continue
                names.append(lesson.picture.name)
                yield _keep(lesson, client.config.target, client.config.workspace)

        numbers = outbox.add(sound_ones())  # which reads one file after another
        own = dict(zip(numbers, names, strict=True))
        try:
            for sent, result in outbox.send(client, patience_s=client.config.timeout_s):
                _count(outcome, own.pop(sent.number, None), result)
        except (Unavailable, DeadlineExceeded) as error:
            outcome.absence = name_options(error.message)
        except FailedPrecondition as error:
            if error.reason != "OUTBOX_BUSY":
                raise
            outcome.absence = error.message
        except HaleganadaError as error:
            error.message += f" ({format_count(len(own), 'drawing')} kept; `haleganada outbox send` tries again)"
            raise
    _show(session, outcome, len(own), len(outbox.list()))


def _keep(lesson: OfflineLesson, target: str, workspace: str) -> KeptLesson:
    return KeptLesson(
        request_id=lesson.request_id,
        target=target,
        workspace=workspace,
        label=lesson.picture.label,
        variant_of=lesson.variant_of,
        picture=lesson.picture.content,
        synthetic=lesson.synthetic,
        known_drawings=lesson.known_drawings,
        batch_id=lesson.batch_id,
    )


def _count(outcome: _Outcome, name: str | None, result: Taught | ItemError) -> None:
    """name: of the picture's file, None for a drawing that was kept by an earlier command."""
    if isinstance(result, ItemError):
        outcome.refused.append((name or "kept earlier", describe_file_error(result)))
    elif name is None:
        outcome.earlier += 1
    else:
        outcome.taught.append(result)


def _show(session: Session, outcome: _Outcome, kept: int, waiting: int) -> None:
    lines = []
    if len(outcome.taught) == 1:
        lines.append(describe_taught(outcome.taught[0]))
    elif outcome.taught:
        lines.append(f"learned {format_count(len(outcome.taught), 'drawing')}")
    if outcome.earlier:
        lines.append(f"sent {format_count(outcome.earlier, 'drawing')} that waited")
    if outcome.absence:
        again = "the next `train --offline-ok`, or `haleganada outbox send`, sends them in order"
        lines.append(f"kept {format_count(kept, 'drawing')}, because {outcome.absence}")
        lines.append(f"{format_count(waiting, 'drawing')} in the outbox; {again}")
    lines += [f"refused: {line}" for line in group_refused(outcome.refused)]
    facts: dict[str, Any] = {"taught": outcome.taught, "sent_earlier": outcome.earlier, "kept": kept}
    session.show({**facts, "waiting": waiting, "refused": dict(outcome.refused)}, "\n".join(lines))
    if outcome.refused:
        sys.exit(ExitCode.FAILURE)
