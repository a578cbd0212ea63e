"""The application factory: routes, security and errors around one client."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from haleganada_client.client import HaleganadaClient

from . import errors
from .bundles import Bundler
from .compression import compress_answers
from .routes import assets, page, rest, samples, transfers
from .routes.reading import corrections, examples, ocr, readings
from .routes.slots import make_upload_slots
from .routes.training import datasets, jobs, models
from .security import protect


def create_app(client: HaleganadaClient, allowed_hosts: Iterable[str] = ()) -> Flask:
    """Create the application that shows a server's pages.

    client: made in this process, after any fork; the caller closes it. allowed_hosts: names under which browsers may
    call, beside localhost and the loopback addresses.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = errors.MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["haleganada"] = client
    app.extensions["haleganada_uploads"] = make_upload_slots()
    app.extensions["haleganada_bundles"] = Bundler()
    compress_answers(app)
    protect(app, frozenset(allowed_hosts))
    for rooms in (page, assets, samples, transfers, datasets, jobs, models, readings, examples, corrections, rest, ocr):
        app.register_blueprint(rooms.blueprint)
    errors.register(app)
    return app
