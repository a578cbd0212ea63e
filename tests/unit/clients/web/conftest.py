"""The page's application in front of a real server."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

from tests.conftest import RunningServer


class WholeAnswers(FlaskClient):
    """Reads each answer to its end and closes it, as a browser's server does; what was sent may be a file."""

    def open(self, *args: Any, buffered: bool = True, **more: Any) -> TestResponse:
        return super().open(*args, buffered=buffered, **more)


def client_of(app: Flask) -> FlaskClient:
    """Return a program that talks to the application."""
    app.test_client_class = WholeAnswers
    return app.test_client()


@pytest.fixture
def web(server: RunningServer, workspace: str) -> Iterator[FlaskClient]:
    """A program that talks to the application, with a workspace of its own."""
    with HaleganadaClient(server.address, workspace=workspace) as client:
        yield client_of(create_app(client, ["haleganada.example"]))


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
