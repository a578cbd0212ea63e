"""Each kind of failure has a stable reason and a message that says what to do."""

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


def catch(action: object) -> BaseException:
    with pytest.raises(Exception) as caught:
        action()  # type: ignore[operator]
    return caught.value


def test_out_of_memory_in_torch_and_numpy() -> None:
    """Allocate more than any machine has."""
    for action in (lambda: torch.empty(2**46), lambda: np.ones(2**50)):
        failure = describe_failure(catch(action), batch_size=64)
        assert failure["reason"] == "OUT_OF_MEMORY" and "batch of 32" in failure["message"]
    assert describe_failure(torch.OutOfMemoryError("CUDA out of memory"))["reason"] == "OUT_OF_MEMORY"
    assert "smaller model" in describe_failure(MemoryError(), batch_size=1)["message"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk(number: int) -> None:
    assert describe_failure(OSError(number, "as the system says"))["reason"] == "DISK_FULL"
    assert (
        describe_failure(SafetensorError(f"I/O error: as the system says (os error {number})"))["reason"] == "DISK_FULL"
    )


def test_safetensors_error_for_a_full_disk(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        error = catch(lambda: save_file({"a": np.zeros(10_000)}, tmp_path / "file"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert describe_failure(error)["reason"] == "DISK_FULL", error


def test_haleganada_errors_pass_through() -> None:
    failure = describe_failure(Precondition("say where the weights are", Reason.BACKBONE_WEIGHTS_MISSING))
    assert failure == {"reason": "BACKBONE_WEIGHTS_MISSING", "message": "say where the weights are"}


def test_a_missing_extra() -> None:
    failure = describe_failure(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert failure["reason"] == "TORCH_NOT_INSTALLED" and "-e '.[train]'" in failure["message"]


def test_details_of_other_errors_stay_out_of_the_message() -> None:
    failure = describe_failure(ValueError("/home/somebody/secret"))
    assert failure["reason"] == "INTERNAL" and "secret" not in failure["message"]
