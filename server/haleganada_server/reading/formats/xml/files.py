"""XML as ALTO and PAGE need it: elements without what XML does not have, and one file or a zip of one for each page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

from haleganada_server.core.disk.zip_files import new_member
from haleganada_server.core.reading.page import PageReading

from ..kept import KeptReading
from ..texts import clean_text

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str | float | None) -> ET.Element:
    """Add an element. attributes: those that are None are left out."""
    element = ET.SubElement(parent, tag, _to_strings(attributes))
    if text is not None:
        element.text = clean_text(text)
    return element


def new_root(tag: str, namespace: str, schema: str, **attributes: str) -> ET.Element:
    """Return the root of a document whose elements are in `namespace`, which its `schema` describes."""
    names = {"xmlns": namespace, "xmlns:xsi": _SCHEMA_INSTANCE, "xsi:schemaLocation": f"{namespace} {schema}"}
    return ET.Element(tag, {**names, **_to_strings(attributes)})


def write_pages(
    reading: KeptReading, target: Path, form: str, to_xml: Callable[[KeptReading, PageReading], ET.Element]
) -> tuple[str, str]:
    """Write one XML file, or a zip with one for each page if there are several. form: stands in the file's name."""
    if len(reading.page_files) == 1:
        page = next(reading.pages())
        target.write_bytes(_to_bytes(to_xml(reading, page)))
        return f"{reading.stem}.{form}.xml", "application/xml"
    with zipfile.ZipFile(target, "w") as archive:
        for page in reading.pages():
            archive.writestr(new_member(f"page-{page.page:05d}.xml"), _to_bytes(to_xml(reading, page)))
    return f"{reading.stem}.{form}.zip", "application/zip"


def _to_strings(attributes: dict[str, str | float | None] | dict[str, str]) -> dict[str, str]:
    return {name: clean_text(str(value)) for name, value in attributes.items() if value is not None}


def _to_bytes(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    data: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return data + b"\n"
