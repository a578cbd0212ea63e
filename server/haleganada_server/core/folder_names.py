"""What the name of a folder of drawings means: text, code points, or a number that could be either.

Nobody can tell whether 10 is the class 10 of a list, the character U+000A, or what is called 10. So numbers are read as
code points only where all of them are letters or digits, and that is said; others are refused until somebody chooses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from enum import Enum

from .errors import InvalidInput

_UNKNOWN_CLASS, _CLASS_BEFORE = "999", "998"
"""999 is the usual number for “no character”, unless 998 is there, too: then it only follows that."""
_HEX_NAME = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")
_MAX_SHOWN, _SHOWN = 20, 3


class FolderNames(Enum):
    """How to read folders that are named by a number of two digits or more. The value is used on the command line."""

    AUTO = "auto"
    """As code points, if all of them are those of letters or digits; else they are refused."""
    TEXT = "text"
    """10 is the label “10”."""
    CODE_POINTS = "code-points"
    """65 is the label “A”."""


def names_code_points(name: str) -> bool:
    """Return whether a name spells out code points, as U+0C95_0CCD does."""
    return bool(_HEX_NAME.fullmatch(name))


def parse_folder_name(name: str, rule: FolderNames = FolderNames.AUTO) -> str:
    """Return the label that a folder is named after, not normalized: U+0C95_0CCD, a decimal code point, or the text
    itself. Raises InvalidInput.
    """
    try:
        if names_code_points(name):
            return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", name))
        if rule is not FolderNames.TEXT and _is_number(name):
            return chr(int(name))
    except (ValueError, OverflowError):
        raise InvalidInput("label", f"the folder “{name[:_MAX_SHOWN]}” is not a code point") from None
    return name


def find_unknown_folder(names: Collection[str], chosen: str = "") -> str:
    """Return the name of the folder whose drawings have none of the labels: the chosen one, else 999, unless 998 is
    there, too. Returns "" if there is none. Raises InvalidInput if none of the names is the chosen one.
    """
    if chosen and chosen not in names:
        why = f"is “{_cut(chosen)}”, but no folder of drawings has that name; give one as it is, or leave it out"
        raise InvalidInput("options.unknown_folder", why)
    is_usual = _UNKNOWN_CLASS in names and _CLASS_BEFORE not in names
    return chosen or (_UNKNOWN_CLASS if is_usual else "")


def describe_unknown_folder(name: str) -> str:
    """Return a sentence that says that a folder's drawings have none of the labels."""
    return f"the folder {_cut(name)} holds drawings of none of the labels"


def list_code_points(names: Iterable[str], rule: FolderNames) -> list[str]:
    """Return the names that are numbers and are read as code points, sorted. Raises InvalidInput, with both readings
    and how to choose one, if they look like class numbers instead.
    """
    numbers = sorted({name for name in names if _is_number(name)}, key=lambda name: (len(name), name))
    if rule is FolderNames.TEXT:
        return []
    odd = [name for name in numbers if not _is_letter(name)]
    if odd and rule is FolderNames.AUTO:
        first = _cut(odd[0])
        raise InvalidInput(
            "file",
            f"has folders that look like class numbers ({_list(numbers)}): as text, {first} is the label “{first}”, "
            f"as a code point it is {_describe(odd[0])}. Choose with the setting folder_names, text or code-points, or "
            "say what each means in class_mapping.json or in a file of labels",
        )
    return numbers


def describe_code_points(numbers: Iterable[str]) -> str:
    """Return a sentence that says how folders with these names were read; at least one."""
    pairs = [f"{number} is “{chr(int(number))}”" for number in numbers]
    return (
        f"folders named by numbers were read as code points: {_list(pairs)}; text for the setting folder_names "
        "reads them as text"
    )


def _is_number(name: str) -> bool:
    """Return whether a name is a number of several digits; a single digit is that digit."""
    return name.isascii() and name.isdecimal() and len(name) > 1


def _is_letter(number: str) -> bool:
    code = int(number[:8])
    is_character = code <= 0x10FFFF and not number.startswith("0")
    return is_character and unicodedata.category(chr(code))[0] in "LMN"


def _describe(number: str) -> str:
    code = int(number[:8])
    if code > 0x10FFFF:
        return "no character"
    shown = f" (“{chr(code)}”)" if chr(code).isprintable() and not chr(code).isspace() else ""
    return f"U+{code:04X}{shown}"


def _cut(name: str) -> str:
    return name[:_MAX_SHOWN]


def _list(words: Iterable[str]) -> str:
    listed = [_cut(word) for word in words]
    return ", ".join([*listed[:_SHOWN], *(["…"] if len(listed) > _SHOWN else [])])
