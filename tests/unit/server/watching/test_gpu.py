"""What is told of a GPU, on a stand-in for torch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from haleganada_server.watching.gpu import GpuState, measure_gpu


def _torch(utilization: Any) -> Any:
    def mem_get_info(device: str) -> tuple[int, int]:
        assert device == "cuda:1"
        return 30, 100

    return SimpleNamespace(
        cuda=SimpleNamespace(mem_get_info=mem_get_info, memory_allocated=lambda _: 50, utilization=utilization)
    )


def test_memory_and_use() -> None:
    found = measure_gpu("cuda:1 (torch 2.6)", _torch(lambda _: 40))
    assert found == GpuState(used_bytes=70, size_bytes=100, own_bytes=50, utilization=0.4)


def test_use_is_unknown_without_the_library_for_it() -> None:
    def missing(_: str) -> int:
        raise ModuleNotFoundError("pynvml does not seem to be installed")

    found = measure_gpu("cuda:1 (torch 2.6)", _torch(missing))
    assert found is not None and found.utilization is None and found.used_bytes == 70


def test_a_device_that_fails_is_left_out() -> None:
    def fail(_: str) -> tuple[int, int]:
        raise RuntimeError("CUDA error: unspecified launch failure")

    assert measure_gpu("cuda:0 (torch 2.6)", SimpleNamespace(cuda=SimpleNamespace(mem_get_info=fail))) is None


def test_there_is_nothing_to_tell_of_a_cpu() -> None:
    assert measure_gpu("cpu (onnxruntime)", _torch(lambda _: 40)) is None
