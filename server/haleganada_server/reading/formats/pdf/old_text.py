"""The text that a page of a PDF has already, where it was read anew: what is invisible can go without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pikepdf
from pikepdf import Dictionary, Name

from .geometry import find_inherited

_SHOW = frozenset(("Tj", "TJ", "'", '"'))
_NEXT_LINE_SHOW = frozenset(("'", '"'))
_NEXT_LINE = pikepdf.ContentStreamInstruction([], pikepdf.Operator("T*"))
_FOLLOWED = " ".join(("q", "Q", "Tr", "Do", *_SHOW))
_INVISIBLE = 3
_MAX_DEPTH = 8  # of forms within forms


def shows_text(page: pikepdf.Page) -> bool:
    """Return whether a page has visible text. Raises PdfError if its content is damaged."""
    return any(mode != _INVISIBLE for mode in _find_text(page, find_inherited(page, "/Resources")))


def remove_invisible_text(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """Remove the invisible text of a page. Other pages stay as they are, even if they share parts with this one. Raises
    PdfError if its content is damaged.
    """
    resources = find_inherited(page, "/Resources")
    if _INVISIBLE in _find_text(page, resources):
        content, page.obj.Resources = _remove_text(pdf, page, resources)
        page.obj.Contents = pdf.make_stream(content)


class _Step(NamedTuple):
    """An instruction, how text is rendered there, and the form that it draws."""

    instruction: Any
    operator: str
    mode: int
    form: Any = None


def _walk(owner: Any, resources: Any, mode: int, operators: str = "") -> Iterator[_Step]:
    """Yield the instructions of a page or form. mode: at its beginning. operators: the only ones to yield, "" = all."""
    modes, forms = [mode], _forms(resources)
    for instruction in pikepdf.parse_content_stream(owner, operators):
        operator, operands = str(instruction.operator), instruction.operands
        if operator == "q":
            modes.append(modes[-1])
        elif operator == "Q" and len(modes) > 1:
            modes.pop()
        elif operator == "Tr" and len(operands) == 1:
            modes[-1] = int(operands[0])
        form = forms.get(str(operands[0])) if operator == "Do" and len(operands) == 1 else None
        yield _Step(instruction, operator, modes[-1], form)


def _find_text(owner: Any, resources: Any, mode: int = 0, depth: int = 0) -> Iterator[int]:
    """Yield how each text of a page or form is rendered; spaces alone are no text, unless they are invisible."""
    # Drawings may have millions of instructions, of which few are looked at.
    for step in _walk(owner, resources, mode, _FOLLOWED):
        if step.operator in _SHOW and (step.mode == _INVISIBLE or _has_text(step.instruction.operands)):
            yield step.mode
        elif step.form is not None and depth < _MAX_DEPTH:
            yield from _find_text(step.form, step.form.get("/Resources", resources), step.mode, depth + 1)


def _remove_text(pdf: pikepdf.Pdf, owner: Any, resources: Any, mode: int = 0, depth: int = 0) -> tuple[bytes, Any]:
    """Return the content of a page or form without invisible text, and its resources."""
    kept: list[Any] = []
    forms: dict[str, Any] = {}
    for step in _walk(owner, resources, mode):
        if step.operator in _SHOW and step.mode == _INVISIBLE:
            kept += [_NEXT_LINE] if step.operator in _NEXT_LINE_SHOW else []
            continue
        kept.append(step.instruction)
        if step.form is not None and depth < _MAX_DEPTH and (name := str(step.instruction.operands[0])) not in forms:
            forms[name] = _copy_without_text(pdf, step.form, resources, step.mode, depth + 1)
    return pikepdf.unparse_content_stream(kept), _replace_forms(resources, forms)


def _copy_without_text(pdf: pikepdf.Pdf, form: Any, inherited: Any, mode: int, depth: int) -> Any:
    content, resources = _remove_text(pdf, form, form.get("/Resources", inherited), mode, depth)
    copy = pdf.make_stream(content)
    for key in form.keys():  # noqa: SIM118 - a stream is no mapping
        if key not in ("/Length", "/Filter", "/DecodeParms", "/Resources"):
            copy[key] = form[key]
    copy.Resources = resources
    return copy


def _forms(resources: Any) -> dict[str, Any]:
    objects = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    if not isinstance(objects, Dictionary):
        return {}
    return {name: form for name, form in objects.items() if form.get("/Subtype") == Name.Form}


def _replace_forms(resources: Any, forms: dict[str, Any]) -> Any:
    """Return a copy of the resources with other forms."""
    copy = Dictionary(dict(resources.items())) if isinstance(resources, Dictionary) else Dictionary()
    if forms:
        copy.XObject = Dictionary({**dict(copy.XObject.items()), **forms})
    return copy


def _has_text(operands: Any) -> bool:
    """Return whether an operator that shows text shows anything but spaces."""
    strings = operands[-1] if isinstance(operands[-1], pikepdf.Array) else [operands[-1]]
    return any(bytes(part).strip() for part in strings if isinstance(part, pikepdf.String))
