"""A sound picture for which there is no memory is not called damaged."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
_DECODE = """
import io, re, resource
from pathlib import Path
from PIL import Image
from haleganada_server.core.errors import Exhausted
from haleganada_server.vision.images.decode import decode_gray
from haleganada_server.vision.limits import DEFAULT_LIMITS

def encode(side, mode):
    data = io.BytesIO()
    Image.new(mode, (side, side)).save(data, "PNG", compress_level=1)
    return data.getvalue()

big = encode(3600, "RGBA")
decode_gray(encode(64, "RGBA"), DEFAULT_LIMITS)
used = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), resource.RLIM_INFINITY))
try:
    decode_gray(big, DEFAULT_LIMITS)
except Exhausted as error:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(error.reason, decode_gray(big, DEFAULT_LIMITS).shape)
"""


def test_a_picture_without_memory_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", _DECODE], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "MEMORY_EXHAUSTED (3600, 3600)\n", done.stdout + done.stderr
