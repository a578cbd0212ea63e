"""Where a user's own files are."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple


class UserFolder(NamedTuple):
    """A kind of folder that systems have for each user: the variable that names it on Windows, where it is without,
    and the same elsewhere.
    """

    windows_variable: str
    windows: str
    variable: str
    elsewhere: str


DATA = UserFolder("LOCALAPPDATA", "~/AppData/Local", "XDG_DATA_HOME", "~/.local/share")
SETTINGS = UserFolder("APPDATA", "~/AppData/Roaming", "XDG_CONFIG_HOME", "~/.config")


def find_user_file(variable: str, folder: UserFolder, name: str) -> Path:
    """Return the file that an environment variable names, without it the one of this name in the user's folder."""
    if named := os.environ.get(variable):
        return Path(named)
    if sys.platform == "win32":
        found = os.environ.get(folder.windows_variable) or folder.windows
    else:
        found = os.environ.get(folder.variable) or folder.elsewhere
    return Path(found).expanduser() / "haleganada" / name
