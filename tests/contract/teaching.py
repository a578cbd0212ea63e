"""Teach through the generated stubs."""

from __future__ import annotations

from haleganada.v1 import ocr_service_pb2 as ocr

from tests.conftest import RunningServer
from tests.contract.drawings import cross


def teach(server: RunningServer, workspace: str, label: str = "ಕ", shift: float = 0.0) -> ocr.TrainResponse:
    """Teach a cross as `label`."""
    return server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=cross(shift), label=label))
