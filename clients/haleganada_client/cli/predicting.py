"""predict."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from haleganada_client.client import HaleganadaClient
from haleganada_client.types import Decision, ItemError, Prediction

from .folders import images_in
from .layout import bar, percent, table
from .session import Session, plain, with_session
from .visualise import write_sheet

_BATCH = 64
_WORDS = {
    Decision.RECOGNISED: "recognised",
    Decision.UNSURE: "not sure",
    Decision.UNKNOWN: "I don't know this one",
    Decision.NOTHING_TAUGHT: "nothing taught yet; teach a drawing with `haleganada train`",
}
Outcome = Prediction | ItemError


@click.command("predict")
@click.argument("images", nargs=-1, required=True)
@click.option("--top-k", "-k", default=3, show_default=True, type=click.IntRange(1, 50), help="Candidates to show.")
@click.option(
    "--save-viz", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write .html or .svg."
)
@with_session
def predict_command(session: Session, images: tuple[str, ...], top_k: int, save_viz: Path | None) -> None:
    """Say what drawings are. IMAGES: files, folders, patterns such as 'page/*.png', or - for standard input."""
    if save_viz is not None and save_viz.suffix.lower() not in (".svg", ".html"):
        raise click.UsageError("--save-viz writes .html or .svg; choose one of these endings")
    drawings = _drawings(images)
    with session.client() as client:
        outcomes = _predict(client, [content for _, content in drawings], top_k)
    named = [(name, content, outcome) for (name, content), outcome in zip(drawings, outcomes, strict=True)]
    if save_viz is not None:
        write_sheet(save_viz, named)
    answers = [{"file": name, **_answer(outcome)} for name, _, outcome in named]
    session.show(answers, "\n".join(_lines(name, outcome) for name, _, outcome in named))
    if any(isinstance(outcome, ItemError) for outcome in outcomes):
        sys.exit(1)


def _drawings(images: Sequence[str]) -> list[tuple[str, bytes]]:
    """(name, content) of every picture that is meant."""
    found: list[tuple[str, bytes]] = []
    for name in images:
        if name == "-":
            found.append(("-", sys.stdin.buffer.read()))
            continue
        paths = [Path(name)] if Path(name).exists() else _matching(name)
        if not paths:
            raise click.UsageError(f"there is no file {name}")
        found += [(str(image), image.read_bytes()) for path in paths for image in images_in(path)]
    if not found:
        raise click.UsageError("there are no PNG, JPEG or WebP images there")
    return found


def _matching(pattern: str) -> list[Path]:
    """Files that a pattern names, for shells that do not expand it."""
    path = Path(pattern)
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def _predict(client: HaleganadaClient, drawings: list[bytes], top_k: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    batches = [drawings[start : start + _BATCH] for start in range(0, len(drawings), _BATCH)]
    hidden = len(batches) == 1
    with click.progressbar(batches, label="Reading", file=sys.stderr, hidden=hidden) as progress:
        for batch in progress:
            outcomes += client.predict_batch(batch, top_k=top_k)
    return outcomes


def _answer(outcome: Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = plain(outcome)
    return {"error": answer} if isinstance(outcome, ItemError) else answer


def _lines(name: str, outcome: Outcome) -> str:
    if isinstance(outcome, ItemError):
        return f"{name}: {outcome.message}"
    rows = [
        [
            f"  {candidate.label}", percent(candidate.probability), bar(candidate.probability),
            " ".join(candidate.code_points),
            f"form of {candidate.canonical}" if candidate.canonical != candidate.label else "",
        ]
        for candidate in outcome.candidates
    ]  # fmt: skip
    if outcome.candidates:
        rows.append(["  none of these", percent(outcome.unknown_probability), bar(outcome.unknown_probability), "", ""])
    return f"{name}: {_WORDS[outcome.decision]}\n{table(rows)}".rstrip()
