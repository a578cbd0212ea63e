"""Which data set a command means: one that the server has, or the one of `fit --starter`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.exit_codes import ExitCode, fail
from haleganada_client.cli.session import Session
from haleganada_client.errors import NotFound
from haleganada_client.installation import describe_install

from .dataset_upload import upload_dataset

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient

STARTER = "starter"


def resolve_dataset(client: HaleganadaClient, name: str) -> str:
    """Return the id or name to send for a data set that people name.

    It is the name itself, except where several data sets of that name have the same content: then it is the newest
    one's id. If their contents differ, the server will say which ones there are. Raise HaleganadaError.
    """
    matching = [dataset for dataset in client.datasets.list() if dataset.name == name]
    have_same_content = len({dataset.sha256 for dataset in matching}) == 1
    return matching[0].dataset_id if len(matching) > 1 and have_same_content else name


def find_or_make_starter_dataset(
    session: Session, client: HaleganadaClient, sources: Path | None, fonts: Path | None
) -> str:
    """Return the id of the server's data set “starter”; make it from the sources if the server has none.

    Exit with an error line if it cannot be made. Raise HaleganadaError.
    """
    try:
        return client.datasets.get(resolve_dataset(client, STARTER)).dataset_id
    except NotFound:
        pass
    if sources is None:
        raise click.UsageError(
            f"the server has no data set “{STARTER}” yet; to make it, give --sources FOLDER, a folder that contains "
            "english_chars62/, omniglot/ and mnist/"
        )
    _require_train_extra(f"making the data set “{STARTER}”")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{STARTER}.npz"
        _gather_drawings(sources, fonts, file)
        return upload_dataset(session, client, file, {"name": STARTER}).dataset_id


def _gather_drawings(sources: Path, fonts: Path | None, file: Path) -> None:
    """Run the server package's command for it; exit if that fails, for it has said why."""
    _run("starter-data", "--data", str(sources), "--out", str(file), *(("--fonts", str(fonts)) if fonts else ()))


def render_dataset(session: Session, client: HaleganadaClient, text: Path, fonts: Path, lines: int, seed: int) -> str:
    """Draw lines of a text, upload them as a data set, and return its id. Exit with an error line if that fails. Raise
    HaleganadaError.
    """
    _require_train_extra("drawing lines")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.zip"
        _run(
            "render-lines", "--text", str(text), "--fonts", str(fonts), "--lines", str(lines), "--seed", str(seed),
            "--out", str(file),
        )  # fmt: skip
        return upload_dataset(session, client, file, {"name": f"{text.stem} drawn"}).dataset_id


def _require_train_extra(what: str) -> None:
    """Exit with an error line if this machine lacks what the server package's command needs."""
    if find_spec("haleganada_server") is None or find_spec("cv2") is None:
        install = f"needs the train extra on this machine, even if the server has it: {describe_install('train')}"
        fail(f"{what} {install}", ExitCode.FAILURE)


def _run(*command: str) -> None:
    """Run a command of the server package; exit if that fails, for it has said why."""
    if subprocess.run([sys.executable, "-m", "haleganada_server", *command], stdout=sys.stderr, check=False).returncode:
        sys.exit(ExitCode.FAILURE)
