"""Logging in and out, where the server has tokens."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from haleganada_client.errors import FailedPrecondition
from haleganada_client.web.security import give_token, remember_token
from haleganada_client.web.sessions import sessions

from .request_body import get_text, parse_body

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def index() -> Response:
    """Return the page where a token is typed."""
    return remember_token(make_response(render_template("login.html", csrf=give_token())))


@blueprint.post("/page/login")
def log_in() -> Response:
    """Begin a session with a token. Raise FailedPrecondition where the next request may reach another process, which
    would not know the session.
    """
    if request.environ.get("wsgi.multiprocess"):
        raise FailedPrecondition(
            "nobody can log in here, because the page runs in several processes; start it with one worker and more "
            "threads (gunicorn --workers 1 --threads 16)",
            "SEVERAL_PROCESSES",
        )
    token = get_text(parse_body(), "token").strip()
    response = jsonify(success=True)
    sessions().log_in(token, response)
    return response


@blueprint.post("/page/logout")
def log_out() -> Response:
    """End the session."""
    response = jsonify(success=True)
    sessions().log_out(response)
    return response


@blueprint.app_template_global()
def is_logged_in() -> bool:
    """Return whether the page is for somebody who has logged in."""
    return sessions().is_logged_in()
