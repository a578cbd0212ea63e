"""The page's application in front of a real server."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from PIL import Image, ImageDraw

from tests.conftest import RunningServer


@pytest.fixture
def web(server: RunningServer, workspace: str) -> Iterator[FlaskClient]:
    """A program that talks to the application, with a workspace of its own."""
    with HaleganadaClient(server.address, workspace=workspace) as client:
        yield create_app(client, ["haleganada.example"]).test_client()


def data_url(kind: str = "cross", shift: int = 0) -> str:
    """A drawing as browsers send it."""
    image = Image.new("RGBA", (240, 240), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    if kind == "cross":
        pen.line((40, 40, 200, 200 + shift), fill="black", width=10)
        pen.line((200, 40, 40 + shift, 200), fill="black", width=10)
    else:
        pen.rectangle((50, 50 + shift, 190, 190), outline="black", width=10)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
