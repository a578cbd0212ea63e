"""The application factory: routes, security and errors around one client."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from haleganada_client.client import HaleganadaClient

from . import errors
from .bundles import Bundler
from .compression import compress_answers
from .request_ids import name_requests
from .routes import assets, login, page, rest, samples, transfers
from .routes.reading import corrections, examples, ocr, readings
from .routes.slots import make_upload_slots
from .routes.training import datasets, jobs, models
from .security import protect
from .sessions import Sessions
from .single_sign_on import SingleSignOn


def create_app(
    client: HaleganadaClient,
    allowed_hosts: Iterable[str] = (),
    *,
    behind_proxy: bool = False,
    single_sign_on: SingleSignOn | None = None,
) -> Flask:
    """Create the application that shows a server's pages.

    client: how to reach the server; made in this process, after any fork; the caller closes it. On a server with tokens
    each browser shows its own, and never the client's. allowed_hosts: names under which browsers may call, beside
    localhost and the loopback addresses. behind_proxy: a web server in front of the page tells in X-Forwarded-For and
    X-Forwarded-Proto who calls, and whether by https; without one, anybody could claim it. single_sign_on: how that web
    server names who calls.
    """
    app = Flask(__name__)
    if behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    app.config["MAX_CONTENT_LENGTH"] = errors.MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["haleganada_sessions"] = logins = Sessions(client, single_sign_on)
    app.extensions["haleganada_uploads"] = make_upload_slots()
    app.extensions["haleganada_bundles"] = Bundler()
    name_requests(app)
    compress_answers(app)
    protect(app, frozenset(allowed_hosts), logins.signing_key)
    if single_sign_on is not None:
        single_sign_on.protect(app)
    teaching = (page, samples, transfers, rest)
    reading = (readings, examples, corrections, ocr)
    for rooms in (login, assets, *teaching, datasets, jobs, models, *reading):
        app.register_blueprint(rooms.blueprint)
    errors.register(app)
    return app
