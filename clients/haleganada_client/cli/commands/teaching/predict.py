"""predict."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.overwriting import overwrite_option, require_free
from haleganada_client.cli.files.paths import expand_paths, report_other_files
from haleganada_client.cli.files.pictures import Picture, load_picture, send_in_batches
from haleganada_client.cli.formatting import format_bar, format_count, format_percent, format_table, printable
from haleganada_client.cli.output import online_learning
from haleganada_client.cli.output.visualization import ENDINGS, write_visualization
from haleganada_client.cli.output.visualization_png import can_draw_png
from haleganada_client.cli.session import Session, say_if_stopped, with_session
from haleganada_client.json_values import to_json_value
from haleganada_client.labeled.image_files import iter_images
from haleganada_client.limits import SCRIPT_LABELS, TOP_K
from haleganada_client.types import FEW_SHOT, ONLINE, Candidate, Decision, ItemError, Prediction

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient

_DECISIONS = {
    Decision.RECOGNIZED: ("recognized", "green"),
    Decision.UNSURE: ("not sure", "yellow"),
    Decision.UNKNOWN: ("unknown", "red"),
    Decision.NOTHING_TAUGHT: ("nothing taught yet", "red"),
}
_DEFAULT_VISUALIZATION = "predictions.html"
Outcome = Prediction | ItemError


@click.command("predict")
@click.argument("images", nargs=-1)
@click.option("--image", "more_images", multiple=True, hidden=True)
@click.option("--folder", metavar="DIR", help="Also recognize all images in this folder and its subfolders.")
@click.option(
    "--top-k", "-k", default=3, show_default=True, type=click.IntRange(*TOP_K.bounds), help="Candidates to show."
)
@click.option(
    "--save-viz",
    is_flag=False,
    flag_value=_DEFAULT_VISUALIZATION,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="[FILE]",
    help="Also save the images with their predictions to a .html, .svg or .png file. Give this option last. "
    f"[default: {_DEFAULT_VISUALIZATION}]",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="The model to use: its name or id, few-shot, or online for the online network. Given several times, the "
    "models answer together. [default: the workspace's model]",
)
@click.option(
    "--script-labels",
    metavar="N",
    type=click.IntRange(*SCRIPT_LABELS.bounds),
    default=0,
    help="How many letters the script has in all, taught or not, so that answers are as sure as they should be. "
    "[default: not known]",
)
@overwrite_option
@with_session
def predict_command(
    session: Session,
    images: tuple[str, ...],
    more_images: tuple[str, ...],
    folder: str | None,
    top_k: int,
    save_viz: Path | None,
    models: tuple[str, ...],
    script_labels: int,
    overwrite: bool,
) -> None:
    """Recognize drawings. IMAGES are files, folders, patterns such as 'page/*.png', or - for standard input.

    The exit code is 1 if an image could not be used. To correct a prediction, use `haleganada correct`.
    """
    _require_writable(save_viz, overwrite)
    paths = _list_images([*images, *more_images, *([folder] if folder else [])])
    answers: list[tuple[Picture, Outcome]] = []
    model = models if len(models) > 1 else "".join(models)
    with (
        session.client() as client,
        say_if_stopped(lambda: f"{len(answers):,} of {format_count(len(paths), 'drawing')} were recognized"),
        session.progress(len(paths), "Recognizing") as progress,
    ):
        for picture, outcome in send_in_batches(
            (Picture("-", sys.stdin.buffer.read()) if str(path) == "-" else load_picture(path) for path in paths),
            lambda batch: client.predict_batch(
                [picture.content for picture in batch], top_k=top_k, model=model, script_labels=script_labels
            ),
        ):
            answers.append((picture if save_viz else Picture(picture.name, b""), outcome))
            progress.update(1)
        used = [outcome.model for _, outcome in answers if isinstance(outcome, Prediction)]
        more_lines = [*_describe_models(client, used), *_describe_age(outcome for _, outcome in answers)]
    if save_viz is not None:
        write_visualization(save_viz, [(picture.name, picture.content, outcome) for picture, outcome in answers])
    outcomes = [(picture.name, outcome) for picture, outcome in answers]
    session.show([_to_json(*outcome) for outcome in outcomes], "\n".join([_format(session, outcomes), *more_lines]))
    if any(isinstance(outcome, ItemError) for _, outcome in outcomes):
        sys.exit(ExitCode.FAILURE)


def _require_writable(file: Path | None, overwrite: bool) -> None:
    """Raise click.UsageError for a visualization that cannot be written, before anything is recognized."""
    require_free(file, overwrite)
    ending = file.suffix.lower() if file is not None else ENDINGS[0]
    if ending not in ENDINGS:
        raise click.UsageError("--save-viz writes .html, .svg or .png; choose one of these endings")
    if ending == ".png" and not can_draw_png():
        raise click.UsageError(
            "a .png is drawn with Pillow, which is not installed; `pip install pillow`, or choose .html or .svg"
        )


def _list_images(names: Sequence[str]) -> list[Path]:
    """Return the path of every image to recognize; "-" is standard input."""
    if not names:
        raise click.UsageError("name the images: files, folders, patterns, or - for standard input")
    paths = expand_paths(names)
    report_other_files(path for path in paths if path.is_dir())
    found = [image for path in paths for image in (iter_images(path) if path.is_dir() else [path])]
    if not found:
        raise click.UsageError("there are no PNG, JPEG or WebP images there")
    return found


def _describe_models(client: HaleganadaClient, used: Sequence[str]) -> list[str]:
    """Return a line that says what answered, unless it was few-shot."""
    models = list(dict.fromkeys(used))  # several if the online network became ready meanwhile
    if set(models) <= {"", FEW_SHOT}:
        return []
    members = {member for model in models for member in model.split("+")}  # of models that answered together
    names = {ONLINE: online_learning.ONLINE_NETWORK, **online_learning.model_names(client, members)}
    told = (" with ".join(printable(names.get(member, member)) for member in model.split("+")) for model in models)
    return [f"answered by {' and '.join(told)}"]


def _describe_age(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a line that says since when the server knows nothing new, if its database is away."""
    age_ms = max((outcome.knowledge_age_ms for outcome in outcomes if isinstance(outcome, Prediction)), default=0)
    return [f"the server's database is away: this is what it knew {age_ms / 1000:,.0f} s ago"] if age_ms else []


def _to_json(name: str, outcome: Outcome) -> dict[str, Any]:
    value = to_json_value(outcome)
    return {"file": name, **({"error": value} if isinstance(outcome, ItemError) else value)}


def _format(session: Session, outcomes: Sequence[tuple[str, Outcome]]) -> str:
    if len(outcomes) == 1:
        return _format_one(session, *outcomes[0])
    table = format_table([_short_row(name, outcome) for name, outcome in outcomes], right={2})
    return f"{table}\n\n{_summarize(outcomes)}"


def _format_one(session: Session, name: str, outcome: Outcome) -> str:
    """Format the prediction of one image in full: every candidate with its bar, code points and forms."""
    if isinstance(outcome, ItemError):
        return f"{printable(name)}: {outcome.message}"
    lines = [f"{printable(name)}: {click.style(*_DECISIONS[outcome.decision])}"]
    if outcome.candidates:
        rows = [["", *_candidate_row(candidate)] for candidate in outcome.candidates]
        unknown = outcome.unknown_probability
        if unknown > 0:  # not every network has this answer
            rows.append(["", "none of these", format_percent(unknown), format_bar(unknown), "", ""])
        correct = session.command_line("correct", outcome.prediction_id, "LABEL")
        lines += [format_table(rows, right={2}), f"wrong? {correct}"]
    elif outcome.decision is Decision.NOTHING_TAUGHT:
        lines[0] += f"; teach a drawing with `{session.command_line('train', 'LABEL', 'IMAGE')}`"
    return "\n".join(lines)


def _candidate_row(candidate: Candidate) -> list[str]:
    shares = [format_percent(candidate.probability), format_bar(candidate.probability)]
    return [candidate.label, *shares, " ".join(candidate.code_points), _describe_forms(candidate)]


def _describe_forms(candidate: Candidate) -> str:
    together = f"({format_percent(candidate.canonical_probability)} together)"
    if candidate.canonical != candidate.label:
        return f"form of {candidate.canonical} {together}"
    others = [form for form in candidate.forms if form != candidate.label]
    return f"also {', '.join(others)} {together}" if others else ""


def _short_row(name: str, outcome: Outcome) -> list[str]:
    """Return the prediction of one of several images as one row."""
    if isinstance(outcome, ItemError):
        return [name, "", "", "", outcome.message]
    if not outcome.candidates or outcome.decision is Decision.UNKNOWN:
        unknown = outcome.unknown_probability
        return [name, "?", format_percent(unknown), format_bar(unknown, 10), _DECISIONS[outcome.decision][0]]
    others = ", ".join(f"{other.label} {format_percent(other.probability)}" for other in outcome.candidates[1:])
    best = outcome.candidates[0]
    unsure = "not sure; " if outcome.decision is Decision.UNSURE else ""
    return [name, best.label, format_percent(best.probability), format_bar(best.probability, 10), unsure + others]


def _summarize(outcomes: Sequence[tuple[str, Outcome]]) -> str:
    count = Counter(None if isinstance(outcome, ItemError) else outcome.decision for _, outcome in outcomes)
    words = {
        Decision.RECOGNIZED: "recognized",
        Decision.UNSURE: "not sure",
        Decision.UNKNOWN: "unknown",
        Decision.NOTHING_TAUGHT: "unknown, because nothing was taught yet",
        None: "not readable",
    }
    parts = [f"{count[key]} {word}" for key, word in words.items() if count[key]]
    return f"{len(outcomes)} drawings: {', '.join(parts)}"
