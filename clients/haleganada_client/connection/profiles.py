"""Connection profiles: named settings in a file of the user, so that a server is described once.

    [lab]
    target = ocr.example:443
    ca = ~/lab.pem
    token = …
    workspace = kannada

The keys are the fields of ClientConfig; `token_file` may stand in place of `token`. `default = yes` marks the one that
is used where none is named. `haleganada connect` writes such sections, see kept_profiles.py.
"""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

from haleganada_client.errors import InvalidInput, NotFound
from haleganada_client.user_files import SETTINGS, find_user_file

from .token_file import read_token_file

_FILES = ("ca", "cert", "key", "token_file")
_TEXTS = ("target", "workspace", "token")
_FLAGS = ("tls", "retry", "default")
_KEYS = (*_TEXTS, *_FILES, *_FLAGS, "timeout_s")


def profiles_path() -> Path:
    """Return the file of the profiles: $HALEGANADA_PROFILES, or profiles.ini in the user's folder of settings."""
    return find_user_file("HALEGANADA_PROFILES", SETTINGS, "profiles.ini")


def read_profile(name: str) -> dict[str, Any]:
    """Return the fields of ClientConfig that a profile sets. Raise NotFound for one that does not exist, InvalidInput
    for a setting that means nothing, OSError for a file that cannot be read.
    """
    path = profiles_path()
    parser = _parse_file(path)
    if parser is None:
        raise NotFound(f"there is no profile “{name}”, because there is no file {path}; make one by {_HOW}")
    if not parser.has_section(name):
        known = ", ".join(parser.sections()) or "none"
        raise NotFound(f"there is no profile “{name}” in {path}; there are: {known}")
    found = {key: _parse(path, name, key, parser[name]) for key in parser[name]}
    found.pop("default", None)
    if (file := found.pop("token_file", None)) is not None:
        if "token" in found:
            raise _refuse(path, f"[{name}] has both token and token_file; keep one of them")
        found["token"] = read_token_file(file)
    return found


def list_profiles() -> list[str]:
    """Return the names of all profiles, in the order of the file. Raise InvalidInput or OSError for a file that cannot
    be read.
    """
    parser = _parse_file(profiles_path())
    return parser.sections() if parser else []


def find_default() -> str:
    """Return the name of the profile that is used where none is named, "" if there is none. Raise as list_profiles."""
    path = profiles_path()
    parser = _parse_file(path)
    marked = [name for name in parser.sections() if parser.has_option(name, "default")] if parser else []
    return next((name for name in marked if parser and _parse(path, name, "default", parser[name])), "")


_HOW = "`haleganada connect grpcs://HOST:PORT --token-file FILE`"


def _parse_file(path: Path) -> configparser.ConfigParser | None:
    """Return what the file says, None if there is no file."""
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        with path.open(encoding="utf-8-sig") as file:
            parser.read_file(file)
    except FileNotFoundError:
        return None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise _refuse(path, " ".join(str(error).split())) from None
    return parser


def _parse(path: Path, name: str, key: str, section: configparser.SectionProxy) -> Any:
    if key not in _KEYS:
        raise _refuse(path, f"[{name}] has no setting “{key}”; there are {', '.join(_KEYS)}")
    try:
        if key in _FLAGS:
            return section.getboolean(key)
        if key == "timeout_s":
            return section.getfloat(key)
    except ValueError:
        expected = "a number of seconds" if key == "timeout_s" else "yes or no"
        raise _refuse(path, f"[{name}] {key} must be {expected}") from None
    return path.parent / Path(section[key]).expanduser() if key in _FILES else section[key]


def _refuse(path: Path, problem: str) -> InvalidInput:
    return InvalidInput(f"{path}: {problem}", "INVALID_INPUT", "profile")
