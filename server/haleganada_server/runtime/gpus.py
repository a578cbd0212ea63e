"""Which GPUs there are, asked of NVIDIA's driver without torch, and why one cannot be used."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from haleganada_server.core.installation import describe_install

_LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_PCI = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"  # vendor; class of display controllers, which GPUs of servers have too
_CPU_BUILD = "+cpu"  # how torch's version ends that cannot use a GPU
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE


@dataclass(frozen=True, slots=True)
class Gpus:
    """count: GPUs that the driver offers. problem: why none of those that are there can be used, and what to do; "" if
    there is none, or nothing is wrong.
    """

    count: int = 0
    problem: str = ""


def find_gpus() -> Gpus:
    """Ask the driver, and look why it offers nothing."""
    try:
        driver = ctypes.CDLL(_LIBRARY)
    except OSError:
        return Gpus(problem=_explain_missing_driver(_PCI))
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return Gpus(count.value) if status == 0 else Gpus(problem=_explain_status(status, _PCI))


def explain_torch() -> str:
    """Return why torch cannot use a GPU, and what to do; "" if nothing is known to be wrong. torch is not imported."""
    if importlib.util.find_spec("torch") is None:
        return f"a GPU needs torch: {describe_install('train')}"
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""
    if version.endswith(_CPU_BUILD):
        return f"torch {version} is built for the CPU alone; install a build of torch with CUDA"
    return ""


def has_nvidia_gpu(pci: Path) -> bool:
    """Return whether there is an NVIDIA GPU, whatever its driver. pci: Linux's folder of devices."""
    return any(
        _read(device / "vendor") == _NVIDIA and _read(device / "class").startswith(_DISPLAY)
        for device in (pci.iterdir() if pci.is_dir() else ())
    )


def _explain_missing_driver(pci: Path) -> str:
    if not has_nvidia_gpu(pci):
        return ""
    return (
        f"there is an NVIDIA GPU, and its driver's library {_LIBRARY} cannot be loaded; install NVIDIA's driver, or "
        "give the container its GPU (docker run --gpus all)"
    )


def _explain_status(status: int, pci: Path) -> str:
    """Return what an error of the driver means."""
    if status == _NO_DEVICE and not has_nvidia_gpu(pci):
        return ""
    return (
        f"NVIDIA's driver offers no GPU (CUDA error {status}); try nvidia-smi, look whether CUDA_VISIBLE_DEVICES hides "
        "it, and let a systemd unit see it (PrivateDevices=no)"
    )


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
