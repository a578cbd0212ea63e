"""Describe why a process failed: a stable reason, and a message that says what to do."""

from __future__ import annotations

import errno
import re
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError, Precondition
from haleganada_server.core.installation import describe_install

_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "Unable to allocate", "std::bad_alloc")
_TRAIN_EXTRA = {"torch", "torchvision", "matplotlib", "onnx", "sklearn", "scipy", "cv2", "skimage"}


class FailedWithModel(Precondition):
    """Training failed midway, but its best epoch was kept as a finished model."""


def describe_failure(
    error: BaseException, batch_size: int = 0, work: str = "the job", again: str = "then start the job again"
) -> dict[str, Any]:
    """Return {"reason", "message"} for an exception, and "model": True if it left a model all the same.

    batch_size: of the training that failed, 0 if none. work: what failed. again: what happens, or what to do, once the
    cause is gone.
    """
    if isinstance(error, FailedWithModel):
        return {**_describe(error.reason, error.message), "model": True}
    if isinstance(error, HaleganadaError):
        return _describe(error.reason, error.message)
    if _is_out_of_memory(error):
        return _describe(Reason.OUT_OF_MEMORY, _format_memory_message(batch_size))
    if _is_disk_full(error):
        return _describe(Reason.DISK_FULL, f"the server's disk is full; free some space, {again}")
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _TRAIN_EXTRA:
        message = f"the server lacks {error.name}, which training needs; run: {describe_install('train')}"
        return _describe(Reason.TORCH_NOT_INSTALLED, message)
    return _describe(Reason.INTERNAL, f"{work} failed unexpectedly ({type(error).__name__}); see its log for details")


def _is_out_of_memory(error: BaseException) -> bool:
    """Recognize torch's and onnxruntime's out-of-memory errors, too: RuntimeErrors that differ only in their text."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _MEMORY_WORDS)
    )


def _format_memory_message(batch_size: int) -> str:
    if batch_size > 1:
        return f"memory ran out with a batch of {batch_size} drawings; start again with a batch of {batch_size // 2}"
    return "memory ran out; close other programs, or choose a smaller model"


def _is_disk_full(error: BaseException) -> bool:
    """Recognize errors of Rust and C++ libraries, too, which give the error number only in their text."""
    if isinstance(error, OSError):
        return error.errno in _NO_SPACE
    match = re.search(r"os error (\d+)", str(error))
    return bool(match and int(match[1]) in _NO_SPACE) or "No space left on device" in str(error)


def _describe(reason: str, message: str) -> dict[str, str]:
    return {"reason": reason, "message": message}
