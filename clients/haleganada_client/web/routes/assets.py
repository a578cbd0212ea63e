"""The bundles of the pages, and what else their first paint needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from flask import Blueprint, Response, abort, current_app, request, url_for
from markupsafe import Markup

from haleganada_client.web.bundles import PAGE_STYLES, Bundle, Bundler
from haleganada_client.web.security import allow_inline

blueprint = Blueprint("assets", __name__)
_NAME = re.compile(rf"({'|'.join(PAGE_STYLES)})\.[0-9a-f]+\.js")
_COOKIE = "haleganada_language"


@blueprint.get("/static/bundles/<name>")
def bundle(name: str) -> Response:
    """Send a bundle. One that has changed meanwhile is sent as it is now, for a page from before."""
    named = _NAME.fullmatch(name)
    if named is None:
        abort(404)
    found = _get_bundle(named[1], "js")
    is_zipped = request.accept_encodings["gzip"] > 0
    response = Response(found.compressed if is_zipped else found.text, mimetype="text/javascript")
    if is_zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    if name == found.name:
        response.cache_control.public = response.cache_control.immutable = True
        response.cache_control.max_age = 31_536_000  # a year: another content has another address
    return response


@blueprint.app_template_global()
def script_url(page: str) -> str:
    """Return the address of a page's script."""
    return url_for("assets.bundle", name=_get_bundle(page, "js").name)


@blueprint.app_template_global()
def inline_style(page: str) -> Markup:
    """Return a page's style sheet as a part of the page: a browser paints nothing before it has it, and over a slow
    line another request takes longer than these bytes.
    """
    text = _get_bundle(page, "css").text.decode()
    allow_inline("style", text)
    return Markup(f"<style>{text}</style>")


@blueprint.app_template_global()
def inline_early_script() -> Markup:
    """Return the script that runs before the first paint."""
    text = (_get_static() / "early.js").read_text(encoding="utf-8")
    allow_inline("script", text)
    return Markup(f"<script>{text}</script>")


@blueprint.app_template_global()
def words_url() -> str:
    """Return the address of the words that the reader will see, so that they come along with the script."""
    preferred = (request.accept_languages.best or "").split("-")[0]
    wished = (request.args.get("language", ""), request.cookies.get(_COOKIE, ""), preferred)
    languages = {path.stem for path in (_get_static() / "i18n").glob("*.json")}
    language = next((code for code in wished if code in languages), "en")  # as the page itself chooses
    return url_for("static", filename=f"i18n/{language}.json")


def _get_bundle(page: str, kind: str) -> Bundle:
    return cast(Bundler, current_app.extensions["haleganada_bundles"]).get(_get_static(), page, kind)


def _get_static() -> Path:
    return Path(cast(str, current_app.static_folder))
