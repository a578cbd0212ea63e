"""What a page loads: its script, compressed and kept by browsers until it changes. Its styles are part of it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import shutil
from pathlib import Path

import haleganada_client.web as web_package
import pytest
from flask.testing import FlaskClient
from haleganada_client.web.bundles import PAGE_STYLES, Bundler

STATIC = Path(web_package.__file__).parent / "static"
PAGES = {"draw": "/", "login": "/login", "models": "/models", "read": "/read"}
ZIPPED = {"Accept-Encoding": "gzip"}


def find_address(page: str) -> str:
    found = re.search(r'"(/static/bundles/[^"]+\.js)"', page)
    assert found is not None
    return found[1]


def find_hashes(policy: str, kind: str) -> list[str]:
    """The hashes of the texts that a content security policy allows within the page."""
    return re.findall(r"'sha256-([^']+)'", policy.partition(f"{kind}-src")[2].partition(";")[0])


@pytest.mark.parametrize("name", PAGE_STYLES)
def test_a_page_is_painted_without_a_second_request(web: FlaskClient, name: str) -> None:
    answer = web.get(PAGES[name])
    page, policy = answer.text, answer.headers["Content-Security-Policy"]
    assert 'rel="stylesheet"' not in page and re.findall(r"<script[^>]*src=", page) == re.findall(
        r'<script type="module" src=', page
    )
    for tag, kind in (("style", "style"), ("script", "script")):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        allowed = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inside]
        assert len(allowed) == 1 and find_hashes(policy, kind) == allowed
    assert "unsafe" not in policy and "sha256" not in web.get("/api/health").headers["Content-Security-Policy"]
    assert not re.search(r"url\((?!\"/|/)", page)  # what is relative to a file of styles is nothing here


@pytest.mark.parametrize("name", PAGE_STYLES)
def test_a_pages_script_is_one_short_file(web: FlaskClient, name: str) -> None:
    answer = web.get(find_address(web.get(PAGES[name]).text))
    assert answer.status_code == 200 and answer.mimetype == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]
    assert not re.search(r"^(import|export)\b", answer.text, re.MULTILINE)
    assert not re.search(r"^\s|/\*\*|^// [A-Z]", answer.text, re.MULTILINE)
    assert '"image/*' in answer.text or name != "read"  # which is no comment


@pytest.mark.parametrize("path", ["/", "/static/i18n/kn.json", "/static/bundles/draw.0.js", "/openapi.json"])
def test_long_answers_are_compressed_for_whoever_takes_that(web: FlaskClient, path: str) -> None:
    plain, zipped = web.get(path), web.get(path, headers=ZIPPED)
    assert "Content-Encoding" not in plain.headers and zipped.headers["Content-Encoding"] == "gzip"
    assert len(zipped.data) < len(plain.data) / 2
    if path != "/":  # where each visitor gets a token
        assert gzip.decompress(zipped.data) == plain.data
    assert "Accept-Encoding" in plain.headers["Vary"] and "Accept-Encoding" in zipped.headers["Vary"]


def test_a_compressed_file_is_not_sent_twice(web: FlaskClient) -> None:
    first = web.get("/static/i18n/en.json", headers=ZIPPED)
    again = web.get("/static/i18n/en.json", headers={**ZIPPED, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data


@pytest.mark.parametrize("path", ["/api/health", "/static/images/icon.svg", "/page/samples/1.png"])
def test_what_would_not_get_shorter_is_sent_as_it_is(web: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in web.get(path, headers=ZIPPED).headers


def test_the_readers_words_come_along_with_the_page(web: FlaskClient) -> None:
    def find_preloaded(accepted: str) -> list[str]:
        page = web.get("/", headers={"Accept-Language": accepted}).text
        return re.findall(r'rel="preload" href="/static/i18n/([^"]+)"', page)

    for accepted, words in (("", "en"), ("kn-IN,en;q=0.5", "kn"), ("de,kn;q=0.5", "en")):
        assert find_preloaded(accepted) == [f"{words}.json"]
    web.set_cookie("haleganada_language", "kn")
    assert find_preloaded("en") == ["kn.json"]
    web.set_cookie("haleganada_language", "../early")
    assert find_preloaded("en") == ["en.json"]


def test_a_page_from_before_gets_todays_script(web: FlaskClient) -> None:
    answer = web.get("/static/bundles/draw.0123456789abcdef.js")
    assert answer.status_code == 200 and "immutable" not in answer.headers["Cache-Control"]
    for name in ("nothing.0.js", "draw.0.css", "draw.0.html", "draw.js", "..%2Fearly.0.js"):
        assert web.get(f"/static/bundles/{name}").status_code == 404


def test_a_changed_file_is_in_the_next_bundle(tmp_path: Path) -> None:
    static = tmp_path / "static"
    shutil.copytree(STATIC, static)
    bundler = Bundler()
    before = bundler.get(static, "draw", "js")
    assert bundler.get(static, "draw", "js") is before
    palette = static / "teaching" / "palette.js"
    palette.write_text(palette.read_text(encoding="utf-8") + "const changed = 1;\n", encoding="utf-8")
    after = bundler.get(static, "draw", "js")
    assert b"const changed" in after.text and after.name != before.name


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('import { Board } from "../draw_page.js";\n', "imports itself"),
        ("export default 1;\n", "cannot be bundled"),
        ("export let latest = 1;\n", "cannot be bundled"),
        ('import { get } from "somewhere";\n', "cannot be bundled"),
        ("const long = `a\nb`;\n", "cannot be bundled"),
    ],
)
def test_a_module_that_cannot_be_bundled_is_named(tmp_path: Path, line: str, problem: str) -> None:
    static = tmp_path / "static"
    shutil.copytree(STATIC, static)
    palette = static / "teaching" / "palette.js"
    palette.write_text(line + palette.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"teaching/palette\.js|draw_page\.js.*{problem}"):
        Bundler().get(static, "draw", "js")
