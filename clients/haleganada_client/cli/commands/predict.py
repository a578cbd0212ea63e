"""predict."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.files.folders import images_below
from haleganada_client.cli.files.paths import matching, tell_of_others
from haleganada_client.cli.files.pictures import Picture, answered, read
from haleganada_client.cli.layout import bar, percent, printable, table
from haleganada_client.cli.session import Session, plain, with_session
from haleganada_client.cli.text import online_learning
from haleganada_client.cli.text.visualize import ENDINGS, write_visualization
from haleganada_client.limits import TOP_K
from haleganada_client.types import FEW_SHOT, ONLINE, Candidate, Decision, ItemError, Prediction

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient

_WORDS = {
    Decision.RECOGNIZED: ("recognized", "green"),
    Decision.UNSURE: ("not sure", "yellow"),
    Decision.UNKNOWN: ("I don't know this one", "red"),
    Decision.NOTHING_TAUGHT: ("nothing taught yet", "red"),
}
Outcome = Prediction | ItemError


@click.command("predict")
@click.argument("images", nargs=-1)
@click.option("--folder", metavar="DIR", help="Also every picture below this folder.")
@click.option(
    "--top-k", "-k", default=3, show_default=True, type=click.IntRange(*TOP_K.bounds), help="Candidates to show."
)
@click.option(
    "--save-viz",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw the pictures with their answers, as .svg or .html.",
)
@click.option(
    "--model",
    default="",
    metavar="NAME",
    help="The model to ask, by name or id; few-shot, or online for the network that learns along. "
    "[default: the workspace's choice]",
)
@with_session
def predict_command(
    session: Session, images: tuple[str, ...], folder: str | None, top_k: int, save_viz: Path | None, model: str
) -> None:
    """Say what drawings are. IMAGES: files, folders, patterns such as 'page/*.png', or - for standard input.

    Exit code 1 if some could not be read. A wrong answer: `haleganada correct`.
    """
    if save_viz is not None and save_viz.suffix.lower() not in ENDINGS:
        raise click.UsageError("--save-viz draws .svg or .html, which every browser shows; choose one of these endings")
    paths = _meant([*images, *([folder] if folder else [])])
    with session.client() as client, session.progress(len(paths), "Reading") as progress:
        named: list[tuple[Picture, Outcome]] = []
        for answer in answered(
            map(_picture, paths),
            lambda batch: client.predict_batch([picture.content for picture in batch], top_k=top_k, model=model),
        ):
            named.append(answer if save_viz else (Picture(answer[0].name, b""), answer[1]))
            progress.update(1)
        by = _answered_by(client, [outcome.model for _, outcome in named if isinstance(outcome, Prediction)])
    if save_viz is not None:
        write_visualization(save_viz, [(picture.name, picture.content, outcome) for picture, outcome in named])
    outcomes = [(picture.name, outcome) for picture, outcome in named]
    session.show([_answer(*outcome) for outcome in outcomes], "\n".join([_in_words(session, outcomes), *by]))
    if any(isinstance(outcome, ItemError) for _, outcome in outcomes):
        sys.exit(1)


def _meant(images: Sequence[str]) -> list[Path]:
    """The path of every picture that is meant; "-" for standard input."""
    if not images:
        raise click.UsageError("say which pictures: files, folders, patterns, or - for standard input")
    paths = [path for name in images for path in matching(name)]
    tell_of_others(path for path in paths if path.is_dir())
    found = [image for path in paths for image in (images_below(path) if path.is_dir() else [path])]
    if not found:
        raise click.UsageError("there are no PNG, JPEG or WebP images there")
    return found


def _picture(path: Path) -> Picture:
    return Picture("-", sys.stdin.buffer.read()) if str(path) == "-" else read(path)


def _answered_by(client: HaleganadaClient, answered: Sequence[str]) -> list[str]:
    """A line that says what answered, where that is not what everybody has."""
    models = list(dict.fromkeys(answered))  # more than one where a network learned enough to answer in between
    if set(models) <= {"", FEW_SHOT}:
        return []
    names = {ONLINE: online_learning.LEARNS_ALONG, **online_learning.names_of(client, models)}
    return [f"answered by {' and '.join(printable(names.get(model, model)) for model in models)}"]


def _answer(name: str, outcome: Outcome) -> dict[str, Any]:
    answer = plain(outcome)
    return {"file": name, **({"error": answer} if isinstance(outcome, ItemError) else answer)}


def _in_words(session: Session, outcomes: Sequence[tuple[str, Outcome]]) -> str:
    return _block(session, *outcomes[0]) if len(outcomes) == 1 else f"{_rows(outcomes)}\n\n{_summary(outcomes)}"


def _block(session: Session, name: str, outcome: Outcome) -> str:
    """One picture in full: every candidate with its bar, code points and forms."""
    if isinstance(outcome, ItemError):
        return f"{printable(name)}: {outcome.message}"
    lines = [f"{printable(name)}: {click.style(*_WORDS[outcome.decision])}"]
    if outcome.candidates:
        rows = [["", *_row(candidate)] for candidate in outcome.candidates]
        unknown = outcome.unknown_probability
        if unknown > 0:  # models of data sets know no such answer
            rows.append(["", "none of these", percent(unknown), bar(unknown), "", ""])
        correct = session.command_line("correct", outcome.prediction_id, "LABEL")
        lines += [table(rows, right={2}), f"wrong? {correct}"]
    elif outcome.decision is Decision.NOTHING_TAUGHT:
        lines[0] += f"; teach a drawing with `{session.command_line('train', 'LABEL', 'IMAGE')}`"
    return "\n".join(lines)


def _row(candidate: Candidate) -> list[str]:
    shares = [percent(candidate.probability), bar(candidate.probability)]
    return [candidate.label, *shares, " ".join(candidate.code_points), _forms(candidate)]


def _forms(candidate: Candidate) -> str:
    if candidate.canonical != candidate.label:
        return f"form of {candidate.canonical} ({percent(candidate.canonical_probability)} together)"
    others = [form for form in candidate.forms if form != candidate.label]
    return f"also {', '.join(others)} ({percent(candidate.canonical_probability)} together)" if others else ""


def _rows(outcomes: Sequence[tuple[str, Outcome]]) -> str:
    """Many pictures, a line each."""
    return table([_short(name, outcome) for name, outcome in outcomes], right={2})


def _short(name: str, outcome: Outcome) -> list[str]:
    if isinstance(outcome, ItemError):
        return [name, "", "", "", outcome.message]
    best = outcome.best
    if best is None or outcome.decision is Decision.UNKNOWN:
        unknown = outcome.unknown_probability
        return [name, "?", percent(unknown), bar(unknown, 10), _WORDS[outcome.decision][0]]
    others = ", ".join(f"{other.label} {percent(other.probability)}" for other in outcome.candidates[1:])
    doubt = "not sure; " if outcome.decision is Decision.UNSURE else ""
    return [name, best.label, percent(best.probability), bar(best.probability, 10), doubt + others]


def _summary(outcomes: Sequence[tuple[str, Outcome]]) -> str:
    count = Counter(None if isinstance(outcome, ItemError) else outcome.decision for _, outcome in outcomes)
    words = {
        Decision.RECOGNIZED: "recognized",
        Decision.UNSURE: "not sure",
        Decision.UNKNOWN: "unknown",
        Decision.NOTHING_TAUGHT: "unknown, for nothing was taught yet",
        None: "not readable",
    }
    parts = [f"{count[key]} {word}" for key, word in words.items() if count[key]]
    return f"{len(outcomes)} drawings: {', '.join(parts)}"
