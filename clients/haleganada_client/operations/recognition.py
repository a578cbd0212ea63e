"""Recognize drawings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from haleganada.v1 import common_pb2
from haleganada.v1 import ocr_service_pb2 as ocr

from haleganada_client import types
from haleganada_client.calls.dual import dual_method
from haleganada_client.types import Drawing
from haleganada_client.wire import convert
from haleganada_client.wire.arguments import to_list
from haleganada_client.wire.build import build
from haleganada_client.wire.drawings import pack_drawing

from .base import BATCH_TIMEOUT_S, Operations


class Recognition(Operations):
    """Recognize drawings."""

    @dual_method
    async def predict(
        self,
        drawing: Drawing,
        *,
        top_k: int = 5,
        min_revision: int | None = None,
        model: str | Iterable[str] = "",
        script_labels: int = 0,
        workspace: str | None = None,
    ) -> types.Prediction:
        """Recognize a drawing.

        top_k: maximum number of candidates, 1 to 50. min_revision: the earliest revision that may answer; the answer
        then waits until it depends on nothing but the revision, see Prediction.provisional. model: an id or unique
        name, "few-shot", "online" for the workspace's own network, or "" for the workspace's choice; 2 to 8 of them
        answer together, about the labels that all know. Prediction.model says what answered. script_labels: how many
        letters the script has in all, taught or not, 0 to 1,000,000; with it, "few-shot" knows how likely a drawing is
        of a letter that nobody has taught. 0: not known; then twenty are taken to be missing.
        """
        request = build(
            ocr.PredictRequest,
            workspace=self._or_default(workspace),
            glyph=await self._connection.offload(pack_drawing, drawing),
            top_k=top_k,
            min_revision=min_revision,
            script_labels=script_labels,
            **_name_models(model),
        )
        return convert.prediction(await self._connection.call(self._ocr.Predict, request))

    @dual_method
    async def predict_batch(
        self,
        drawings: Sequence[Drawing],
        *,
        top_k: int = 5,
        min_revision: int | None = None,
        model: str | Iterable[str] = "",
        script_labels: int = 0,
        workspace: str | None = None,
    ) -> list[types.Prediction | types.ItemError]:
        """Recognize up to 256 drawings of at most 16 MiB in all, in order; arguments as in predict."""
        request = build(
            ocr.PredictBatchRequest,
            workspace=self._or_default(workspace),
            glyphs=await self._connection.offload(_pack_drawings, drawings),
            top_k=top_k,
            min_revision=min_revision,
            script_labels=script_labels,
            **_name_models(model),
        )
        answer = await self._connection.call(self._ocr.PredictBatch, request, BATCH_TIMEOUT_S)
        return [convert.batch_item(result, "prediction", convert.prediction) for result in answer.results]


def _name_models(model: str | Iterable[str]) -> dict[str, Any]:
    """Return the fields of a request that say what is to answer."""
    return {"model": model} if isinstance(model, str) else {"models": to_list(model, "model")}


def _pack_drawings(drawings: Iterable[Drawing]) -> list[common_pb2.Glyph]:
    given = to_list(drawings, "drawings")
    return [pack_drawing(drawing, f"drawings[{number}]") for number, drawing in enumerate(given)]
