"""Why a process failed, as a stable word and as a sentence that says what to do."""

from __future__ import annotations

import errno
import re
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError, Precondition

_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "Unable to allocate", "std::bad_alloc")
_TRAIN_EXTRA = {"torch", "torchvision", "matplotlib", "onnx", "sklearn", "scipy", "cv2", "skimage"}


class FailedWithModel(Precondition):
    """A training that broke off, but left the best that it had reached as a finished model."""


def describe_failure(
    error: BaseException, batch_size: int = 0, work: str = "the job", again: str = "then start the job again"
) -> dict[str, Any]:
    """An exception -> {"reason", "message"}, and "model" if there is one all the same. batch_size: of the training
    that failed; 0 where there is none. work: what failed. again: what goes on, or has to be done, once its reason is
    gone.
    """
    if isinstance(error, FailedWithModel):
        return {**_failure(error.reason, error.message), "model": True}
    if isinstance(error, HaleganadaError):
        return _failure(error.reason, error.message)
    if _is_memory(error):
        return _failure(Reason.OUT_OF_MEMORY, _memory_message(batch_size))
    if _is_disk(error):
        return _failure(Reason.DISK_FULL, f"there was no room on the server's disk; free some, {again}")
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _TRAIN_EXTRA:
        message = f"the server lacks {error.name}, which training needs: pip install 'haleganada[train]'"
        return _failure(Reason.TORCH_NOT_INSTALLED, message)
    return _failure(Reason.INTERNAL, f"{work} failed unexpectedly ({type(error).__name__}); its log has the details")


def _is_memory(error: BaseException) -> bool:
    """torch's own out-of-memory errors are RuntimeErrors, told apart by their words; so are those of onnxruntime."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _MEMORY_WORDS)
    )


def _memory_message(batch_size: int) -> str:
    if batch_size > 1:
        return f"memory ran out with {batch_size} drawings in a step; start it again with a batch of {batch_size // 2}"
    return "memory ran out; stop other programs, or choose a smaller model"


def _is_disk(error: BaseException) -> bool:
    """Libraries written in Rust or C++ tell the error number in words only."""
    if isinstance(error, OSError):
        return error.errno in _NO_SPACE
    told = re.search(r"os error (\d+)", str(error))
    return bool(told and int(told[1]) in _NO_SPACE) or "No space left on device" in str(error)


def _failure(reason: str, message: str) -> dict[str, str]:
    return {"reason": reason, "message": message}
