"""Uploading a data set: how far it came is shown, and said after Ctrl+C."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.formatting import format_size
from haleganada_client.cli.session import Session, say_if_stopped

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.training.datasets import Dataset


def upload_dataset(session: Session, client: HaleganadaClient, path: str | Path, options: Mapping[str, Any]) -> Dataset:
    """Upload a folder or file with the options of `client.datasets.upload`. Raise HaleganadaError."""
    reached = (0, 0)

    def how_far() -> str:
        sent, total = reached
        if total == 0:
            return "nothing was sent yet"
        return f"{format_size(sent)} of {format_size(total)} were sent; repeat the command to continue from there"

    with say_if_stopped(how_far), session.progress(0, "Uploading") as progress:

        def show(sent: int, total: int) -> None:
            nonlocal reached
            reached = sent, total
            progress.length = total
            progress.update(sent - progress.pos)
            if sent == total and sys.stderr.isatty():
                click.echo("\nThe server is importing the drawings, a million in about 15 minutes.", err=True)

        return client.datasets.upload(path, on_progress=show, **options)
