"""The data set of `fit --starter`: the server's, or a new one that is gathered on this machine and sent there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.exit_codes import fail
from haleganada_client.errors import NotFound

from .dataset_lookup import dataset_named

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

NAME = "starter"


def starter_dataset(client: HaleganadaClient, sources: Path | None, fonts: Path | None) -> str:
    """The id of the server's data set “starter”; it is made of the sources if there is none yet.

    Ends the command with a line where it cannot be made. Raises HaleganadaError.
    """
    try:
        return client.datasets.get(dataset_named(client, NAME)).dataset_id
    except NotFound:
        pass
    if sources is None:
        raise click.UsageError(
            f"the server has no data set “{NAME}” yet; give --sources FOLDER, with english_chars62/, omniglot/ and "
            "mnist/ below it, to make it of"
        )
    if find_spec("haleganada_server") is None or find_spec("cv2") is None:
        needed = "needs more on this machine, whatever the server has: pip install 'haleganada[train]'"
        fail(f"gathering the drawings of “{NAME}” {needed}", 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{NAME}.npz"
        _gather(sources, fonts, file)
        return client.datasets.upload(file, name=NAME).dataset_id


def _gather(sources: Path, fonts: Path | None, file: Path) -> None:
    """Its own process says what it gathered, or why it could not."""
    line = [sys.executable, "-m", "haleganada_server", "starter-data", "--data", str(sources), "--out", str(file)]
    if fonts is not None:
        line += ["--fonts", str(fonts)]
    if subprocess.run(line, stdout=sys.stderr, check=False).returncode:
        sys.exit(1)
