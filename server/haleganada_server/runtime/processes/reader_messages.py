"""Messages between the server and its readers: {"do": NAME, ...} is answered by {"done": {...}} and a payload, or by
{"failed": {...}}. Both ends are the same program on the same machine, so they may change with every version.

| do | fields | done | payload |
| --- | --- | --- | --- |
| engines | | engines | |
| count_pages | document | pages | |
| read_page | document, page, options | page, pages_total, pictures: [{step, size}] | the pictures, PNG |
| draw_page | document, page, max_side | width, height | a JPEG |
| export | reading, file_name, format, target | file_name, content_type | |
| import_words | archive, reading | pages | |

Documents, readings, targets and archives are paths; pages, options and engines are as core/reading/codec.py has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, InvalidInput, NotFound, Precondition

Json = dict[str, Any]

_NOT_FOUND: Mapping[str, Callable[[str], NotFound]] = {
    "page": lambda name: NotFound("page", name),
    "engine": lambda name: NotFound("engine", name),
}


def pack_error(error: HaleganadaError) -> Json:
    """Return what unpack_error makes the error of again; its kind becomes HaleganadaError if it is none of the four
    that reading raises.
    """
    fields: Json = {"reason": str(error.reason), "message": error.message}
    if isinstance(error, InvalidInput):
        return {**fields, "error": "InvalidInput", "field": error.field, "description": error.description}
    if isinstance(error, NotFound):
        return {**fields, "error": "NotFound", "kind": error.kind, "name": error.name}
    if isinstance(error, Exhausted):
        return {**fields, "error": "Exhausted", "retry_after_s": error.retry_after_s}
    return {**fields, "error": "Precondition" if isinstance(error, Precondition) else ""}


def unpack_error(fields: Json) -> HaleganadaError:
    """Raises KeyError for what pack_error does not return."""
    kind, message, reason = fields["error"], str(fields["message"]), Reason.of(fields["reason"])
    if kind == "InvalidInput":
        return InvalidInput(str(fields["field"]), str(fields["description"]))
    if kind == "NotFound":
        error = _NOT_FOUND[fields["kind"]](str(fields["name"]))
        error.message = message
        return error
    if kind == "Exhausted":
        return Exhausted(message, reason, float(fields["retry_after_s"]))
    if kind == "Precondition":
        return Precondition(message, reason)
    return HaleganadaError(message, reason)
