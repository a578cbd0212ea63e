"""Logging in and out, where the server has tokens."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template

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
    """Begin a session with a token."""
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
