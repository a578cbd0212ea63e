"""Connection profiles: named settings in a file of the user, so that a server is described once.

    [lab]
    target = ocr.example:443
    ca = ~/lab.pem
    token = …
    workspace = kannada

The keys are the fields of ClientConfig.
"""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path
from typing import Any

from haleganada_client.errors import InvalidInput, NotFound

_FILES = ("ca", "cert", "key")
_TEXTS = ("target", "workspace", "token")
_KEYS = (*_TEXTS, *_FILES, "tls", "retry", "timeout_s")


def profiles_path() -> Path:
    """Return the file of the profiles: $HALEGANADA_PROFILES, or profiles.ini in the user's folder of settings."""
    if named := os.environ.get("HALEGANADA_PROFILES"):
        return Path(named)
    if sys.platform == "win32":
        settings = Path(os.environ.get("APPDATA") or "~/AppData/Roaming")
    else:
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config")
    return settings.expanduser() / "haleganada" / "profiles.ini"


def read_profile(name: str) -> dict[str, Any]:
    """Return the fields of ClientConfig that a profile sets. Raise NotFound for one that does not exist, InvalidInput
    for a setting that means nothing, OSError for a file that cannot be read.
    """
    path = profiles_path()
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        with path.open(encoding="utf-8-sig") as file:
            parser.read_file(file)
    except FileNotFoundError:
        raise NotFound(f"there is no profile “{name}”, because there is no file {path}; make one") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise _refuse(path, " ".join(str(error).split())) from None
    if not parser.has_section(name):
        known = ", ".join(parser.sections()) or "none"
        raise NotFound(f"there is no profile “{name}” in {path}; there are: {known}")
    return {key: _parse(path, name, key, parser[name]) for key in parser[name]}


def _parse(path: Path, name: str, key: str, section: configparser.SectionProxy) -> Any:
    if key not in _KEYS:
        raise _refuse(path, f"[{name}] has no setting “{key}”; there are {', '.join(_KEYS)}")
    try:
        if key in ("tls", "retry"):
            return section.getboolean(key)
        if key == "timeout_s":
            return section.getfloat(key)
    except ValueError:
        expected = "a number of seconds" if key == "timeout_s" else "yes or no"
        raise _refuse(path, f"[{name}] {key} must be {expected}") from None
    return path.parent / Path(section[key]).expanduser() if key in _FILES else section[key]


def _refuse(path: Path, problem: str) -> InvalidInput:
    return InvalidInput(f"{path}: {problem}", "INVALID_INPUT", "profile")
