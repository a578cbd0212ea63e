"""The command line's names for settings, which the messages of the client and the server name by their fields."""

from __future__ import annotations

import re

_OPTIONS = {"target": "--server", "timeout_s": "--timeout", "folder_names": "--folder-names"}
_OPTIONS |= {name: f"--{name}" for name in ("token", "tls", "ca", "cert", "key")}
_SETTING = re.compile(rf"the setting ({'|'.join(_OPTIONS)})\b")


def name_options(message: str) -> str:
    """Return a message with the options that set what it names: “the setting ca” becomes “--ca”."""
    return _SETTING.sub(lambda match: _OPTIONS[match[1]], message)
