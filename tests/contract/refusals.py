"""What a refused call says, taken apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status


@dataclass(frozen=True)
class Refusal:
    """fields: names of the wrong fields. retry_s: seconds after which to repeat the call, None if not said."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...]
    retry_s: float | None


def expect_refusal(call: Callable[[], Any]) -> Refusal:
    """Make the call, which must fail with a google.rpc.Status."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return parse(caught.value)


def parse(error: grpc.RpcError) -> Refusal:
    """The status and details of a failed call."""
    assert isinstance(error, grpc.Call)
    status = rpc_status.from_call(error)
    assert status is not None, f"no details in {error}"
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    present = {part.DESCRIPTOR.name for detail in status.details for part in (info, bad, retry) if detail.Unpack(part)}
    assert "ErrorInfo" in present and info.domain == "haleganada"
    return Refusal(
        error.code(),
        status.message,
        info.reason,
        dict(info.metadata),
        tuple(violation.field for violation in bad.field_violations),
        retry.retry_delay.ToTimedelta().total_seconds() if "RetryInfo" in present else None,
    )
