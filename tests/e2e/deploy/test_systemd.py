"""The units: systemd understands them, lets them do little, and has their users."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "server/deploy/systemd"
SERVICES = ("haleganada.service", "haleganada-web.service")
MOST_EXPOSED = 2.0  # of 10; what systemd calls OK begins there

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def test_each_has_a_user_that_exists() -> None:
    users = re.findall(r"^u (\S+)", (UNITS / "haleganada.conf").read_text(), re.MULTILINE)
    named = [re.findall(r"^User=(.+)$", (UNITS / name).read_text(), re.MULTILINE) for name in SERVICES]
    assert named == [[user] for user in users]


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_what_systemd_says(name: str, tmp_path: Path) -> None:
    for other in SERVICES:  # one names the other
        text = (UNITS / other).read_text().replace("/opt/haleganada/bin/haleganada", sys.executable)
        (tmp_path / other).write_text(text)
    unit = str(tmp_path / name)
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
    assert not checked.returncode and str(tmp_path) not in checked.stderr, checked.stderr
    line = ["systemd-analyze", "security", "--offline=yes", unit]
    rated = subprocess.run(line, capture_output=True, text=True, timeout=60)
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)
    assert exposure and float(exposure[1]) < MOST_EXPOSED, rated.stderr
