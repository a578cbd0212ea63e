"""Every way to fail has a stable reason and says what to do."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.training.common.job_errors import describe_failure
from safetensors import SafetensorError
from safetensors.numpy import save_file


def raised(action: object) -> BaseException:
    with pytest.raises(Exception) as failure:
        action()  # type: ignore[operator]
    return failure.value


def test_memory_of_torch_and_numpy() -> None:
    """Asked for more than any machine has."""
    for action in (lambda: torch.empty(2**46), lambda: np.ones(2**50)):
        told = describe_failure(raised(action), batch_size=64)
        assert told["reason"] == "OUT_OF_MEMORY" and "batch of 32" in told["message"]
    assert describe_failure(torch.OutOfMemoryError("CUDA out of memory"))["reason"] == "OUT_OF_MEMORY"
    assert "smaller model" in describe_failure(MemoryError(), batch_size=1)["message"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk(number: int) -> None:
    assert describe_failure(OSError(number, "as the system says"))["reason"] == "DISK_FULL"
    assert (
        describe_failure(SafetensorError(f"I/O error: as the system says (os error {number})"))["reason"] == "DISK_FULL"
    )


def test_a_file_that_cannot_grow_as_safetensors_tells_it(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        error = raised(lambda: save_file({"a": np.zeros(10_000)}, tmp_path / "file"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert describe_failure(error)["reason"] == "DISK_FULL", error


def test_errors_made_for_people_pass_through() -> None:
    told = describe_failure(Precondition("say where the weights are", Reason.BACKBONE_WEIGHTS_MISSING))
    assert told == {"reason": "BACKBONE_WEIGHTS_MISSING", "message": "say where the weights are"}


def test_a_missing_extra() -> None:
    told = describe_failure(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert told["reason"] == "TORCH_NOT_INSTALLED" and "haleganada[train]" in told["message"]


def test_anything_else_keeps_its_details_to_the_log() -> None:
    told = describe_failure(ValueError("/home/somebody/secret"))
    assert told["reason"] == "INTERNAL" and "secret" not in told["message"]
