"""models use: what answers in a workspace."""

from __future__ import annotations

from typing import Any

import click

from haleganada_client import limits
from haleganada_client.cli.layout import counted, printable
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.online_learning import names_of
from haleganada_client.types import OnlineSettings

_SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "--replay",
        {
            "type": click.IntRange(*limits.REPLAY.bounds),
            "help": "earlier drawings that each step sees again. [default: 32]",
        },
    ),
    (
        "--steps",
        {
            "type": click.IntRange(*limits.ONLINE_STEPS.bounds),
            "help": "of the optimizer, for each drawing. [default: 5]",
        },
    ),
    (
        "--learning-rate",
        {
            "type": click.FloatRange(*limits.LEARNING_RATE.bounds, min_open=limits.LEARNING_RATE.open),
            "help": "of AdamW. [default: 0.001; 0.0001 for a new resnet50-transformer]",
        },
    ),
    ("--weight-decay", {"type": click.FloatRange(*limits.WEIGHT_DECAY.bounds), "help": "of AdamW. [default: 0.01]"}),
    ("--seed", {"type": click.IntRange(*limits.SEED.bounds), "help": "of everything random. [default: 0]"}),
)


def _with_settings(command: Any) -> Any:
    for flag, more in reversed(_SETTINGS):
        command = click.option(flag, **{**more, "help": f"With --online: {more['help']}"})(command)
    return command


@click.command("use")
@click.argument("model")
@click.option(
    "--online", is_flag=True, help="A network of the workspace's own, which starts as MODEL and learns along."
)
@_with_settings
@with_session
def use_model(session: Session, model: str, online: bool, **settings: Any) -> None:
    """Let the workspace answer with MODEL from now on; `few-shot` goes back to its own head.

    With --online it gets a network of its own, which starts as MODEL (or anew, as cnn36 or resnet50-transformer) and
    learns every drawing that is and will be taught. The server needs torch for that.

    \b
    haleganada models use mine
    haleganada models use cnn36 --online --replay 16
    haleganada models use few-shot
    """
    given = {name: value for name, value in settings.items() if value is not None}
    if online:
        _learn_along(session, model, OnlineSettings(**given))
    elif given:
        raise click.UsageError(f"--{next(iter(given)).replace('_', '-')} is for networks that learn; add --online")
    else:
        _use(session, model)


def _use(session: Session, model: str) -> None:
    with session.client() as client:
        active, workspace = client.models.activate(model), client.config.workspace
    text = f"{printable(workspace)} answers with {printable(active.name)} from now on"
    session.show(active, f"{text}; {_goes_back(session)}" if active.model_id != "few-shot" else text)


def _learn_along(session: Session, model: str, settings: OnlineSettings) -> None:
    with session.client() as client:
        online = client.models.activate(model, online=settings)
        here, name = client.get_workspace(), names_of(client, [online.start]).get(online.start)
    start = f"the model {printable(name)}" if name else f"a new {printable(online.start)}"
    text = f"{printable(here.name)} has a network of its own from now on, which starts as {start} and learns along"
    more = f"`{session.command_line('workspaces')}` shows how far it is; {_goes_back(session)}"
    session.show(online, f"{text}; {_first_answers(here.samples_total, knows=bool(name))}\n{more}")


def _first_answers(taught: int, knows: bool) -> str:
    """Who answers at first; true whenever it is read. knows: the network starts from a model, and so with its
    labels.
    """
    if taught:
        return f"few-shot answers until it has learned the {counted(taught, 'drawing')} taught so far"
    if knows:
        return "it answers with what that model knows, and with what you teach from now on"
    return "few-shot answers until two labels are taught"


def _goes_back(session: Session) -> str:
    return f"`{session.command_line('models', 'use', 'few-shot')}` goes back"
