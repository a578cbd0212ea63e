"""The check of `doctor --offline`: are all installed files as their wheels had them?

Each wheel lists the SHA-256 of its files (RECORD, https://packaging.python.org/en/latest/specifications/
recording-installed-packages/), models and weights included.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from haleganada_client.cli.formatting import format_count

from .machine_checks import FAIL, OK, WARN, Finding

_OURS = ("haleganada", "haleganada-server")
_SHOWN = 3  # damaged files that are named


def check_installed_files() -> Finding:
    """Compare the files of both distributions, and of all that they need, with their hashes."""
    found = list(_find_distributions())
    installed = [distribution for distribution in found if not _is_editable(distribution)]
    checked, damaged = 0, list[str]()
    for distribution in installed:
        for file in filter(_came_with_wheel, distribution.files or ()):
            checked += 1
            if file.hash is None or _hash(Path(str(distribution.locate_file(file)))) != file.hash.value:
                damaged.append(str(file))
    if damaged:
        named = ", ".join(damaged[:_SHOWN]) + (f" and {len(damaged) - _SHOWN} more" if len(damaged) > _SHOWN else "")
        return Finding(FAIL, "files", f"{named} differ from what was installed, or are missing; install them again")
    described = f"{format_count(checked, 'file')} of {format_count(len(installed), 'distribution')} match their hashes"
    if checkouts := [one.metadata["Name"] for one in found if _is_editable(one)]:
        return Finding(WARN, "files", f"{described}; {' and '.join(checkouts)} run from a checkout, which has none")
    return Finding(OK, "files", described)


def _came_with_wheel(file: metadata.PackagePath) -> bool:
    """Return whether a file has a hash and is not one of those that are written when a wheel is installed: programs,
    which name the environment's Python, lie outside the packages.
    """
    return file.hash is not None and file.hash.mode == "sha256" and file.parts[0] != ".."


def _find_distributions() -> Iterator[metadata.Distribution]:
    """Yield those of ours that are installed, and what they need, also for their extras where that is installed."""
    waiting, seen = list(_OURS), set[str]()
    while waiting:
        name = _normalize(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        yield distribution
        waiting += [_name_of(requirement) for requirement in distribution.requires or ()]


def _name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found[0] if found else requirement


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_editable(distribution: metadata.Distribution) -> bool:
    return '"editable": true' in (distribution.read_text("direct_url.json") or "")


def _hash(path: Path) -> str:
    """Return the hash as RECORD writes it; "" for a file that cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
