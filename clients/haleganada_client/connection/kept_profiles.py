"""Writes connection profiles, and leaves the rest of their file, comments included, as people wrote it.

The file may hold tokens: only its owner can read what is written, and a kill leaves the old file or the new one.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from haleganada_client.errors import InvalidInput

from .profiles import list_profiles, profiles_path, read_profile

_HEADING = re.compile(r"^\[(.+)\]", re.MULTILINE)
_DEFAULT = re.compile(r"^default\s*[=:].*\n?", re.MULTILINE | re.IGNORECASE)
_NAME = re.compile(r"[^\[\]\r\n]+")
_MARK = "default = yes\n"


def keep_profile(name: str, settings: Mapping[str, str]) -> None:
    """Write a profile, in place of one of that name, and make it the default. settings: texts by their keys. Raise
    InvalidInput for a name or a text that cannot stand in the file, OSError if it cannot be written.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise InvalidInput(f"“{name}” cannot name a profile; use letters and digits", "INVALID_INPUT", "profile")
    for key, value in settings.items():
        if "\n" in value or "\r" in value:
            raise InvalidInput(f"the setting {key} has several lines; write it in one", "INVALID_INPUT", key)
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    sections = _read_sections()
    sections[name] = f"[{name}]\n{_MARK}{lines}\n"
    _write(_mark(sections, name))


def choose_default(name: str) -> None:
    """Make a profile the default. Raise as read_profile does, OSError if it cannot be written."""
    read_profile(name)
    _write(_mark(_read_sections(), name))


def delete_profile(name: str) -> None:
    """Delete a profile. Raise as read_profile does, OSError if it cannot be written."""
    if name not in list_profiles():
        read_profile(name)
    sections = _read_sections()
    del sections[name]
    _write(sections)


def _read_sections() -> dict[str, str]:
    """Return the text of each section by its name, and what stands before the first one by ""."""
    list_profiles()  # which refuses a file that is damaged
    try:
        text = profiles_path().read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    starts = [(match[1], match.start()) for match in _HEADING.finditer(text)]
    ends = [start for _, start in starts[1:]] + [len(text)]
    head = text[: starts[0][1]] if starts else text
    return {"": head} | {name: text[start:end] for (name, start), end in zip(starts, ends, strict=True)}


def _mark(sections: dict[str, str], default: str) -> dict[str, str]:
    """Return the sections with one as the default, and no other."""
    plain = {name: _DEFAULT.sub("", text) for name, text in sections.items()}
    heading, _, rest = plain[default].partition("\n")
    return {**plain, default: f"{heading}\n{_MARK}{rest}"}


def _write(sections: Mapping[str, str]) -> None:
    path = Path(os.path.realpath(profiles_path()))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".profiles-")  # for its owner alone
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write("".join(text if text.endswith("\n") or not text else f"{text}\n" for text in sections.values()))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
