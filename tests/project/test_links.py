"""Documents name only what exists: files that they link to, headings, and paths in code spans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PATHS_ARE_CHECKED = ("CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md")
ROOTS = (ROOT, ROOT / "server/haleganada_server", ROOT / "clients/haleganada_client")

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([\w./*-]+/[\w./*-]*)`")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _links(document: Path) -> Iterator[str]:
    text = _FENCED.sub("", document.read_text(encoding="utf-8"))
    yield from (link for link in _LINK.findall(text) if "://" not in link)


def _anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _make_id(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_make_id)
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for link in _links(document):
        target, _, anchor = link.partition("#")
        path = document.parent / target if target else document
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", PATHS_ARE_CHECKED)
def test_paths_in_code_spans_exist(name: str) -> None:
    spans = _CODE.findall((ROOT / name).read_text(encoding="utf-8"))
    assert spans
    missing = [span for span in spans if not any(_exists(root, span) for root in ROOTS)]
    assert not missing


def _exists(root: Path, span: str) -> bool:
    return any(root.glob(span)) if "*" in span else (root / span).exists()
