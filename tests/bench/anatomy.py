"""Where the time goes in one Predict, step by step, within this process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from haleganada.v1 import ocr_service_pb2
from haleganada_client import convert as client_convert
from haleganada_server.app import build_app
from haleganada_server.config import ServerConfig
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.workspaces.types import Lesson
from haleganada_server.rpc.convert import common
from haleganada_server.rpc.convert import ocr as convert
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input, rasterize

from tests.bench.drawings import LABELS, canvas_png, strokes
from tests.bench.table import Table

TIMES = 300


def steps_of_predict() -> Table:
    """Median of each step, for strokes and for a 280 x 280 PNG."""
    table = Table("One Predict, step by step (median)", ("step", "strokes", "280×280 PNG"))
    with tempfile.TemporaryDirectory() as folder:
        app = build_app(ServerConfig(Path(folder), port=0, device="cpu"))
        workspace = app.workspaces.get()
        for label in LABELS:
            workspace.train(Lesson(common.glyph(_message(label, 1).glyph), label))
        columns = [_steps(app, _message("ಅ", 5)), _steps(app, _picture("ಅ", 5))]
        for step in columns[0]:
            table.add(step, *(f"{1000 * column[step]:.0f} µs" for column in columns))
        app.stop(0)
    return table


def _message(label: str, hand: int) -> ocr_service_pb2.PredictRequest:
    return ocr_service_pb2.PredictRequest(glyph=client_convert.glyph(strokes(label, hand)))


def _picture(label: str, hand: int) -> ocr_service_pb2.PredictRequest:
    return ocr_service_pb2.PredictRequest(glyph=client_convert.glyph(canvas_png(label, hand)))


def _steps(app: object, request: ocr_service_pb2.PredictRequest) -> dict[str, float]:
    embedder, workspace = app.embedder, app.workspaces.get()  # type: ignore[attr-defined]
    packed, weights = request.SerializeToString(), load_weights(ServerConfig(Path()).weights_dir)
    glyph = common.glyph(request.glyph)
    raster = rasterize(glyph)
    vector = weights.head_parameters.projection.project_one(embedder.embed(raster[None])[0])
    answer = convert.prediction(workspace.predict(glyph))
    known = workspace.knowledge
    return {
        "unpack the request": _ms(lambda: common.glyph(ocr_service_pb2.PredictRequest.FromString(packed).glyph)),
        "drawing to ink raster": _ms(partial(rasterize, glyph)),
        "raster to network input": _ms(lambda: network_input(raster[None], weights.side)),
        "embedding (with input)": _ms(lambda: embedder.embed(raster[None])),
        "projection": _ms(lambda: weights.head_parameters.projection.project_one(embedder.embed(raster[None])[0]))
        - _ms(lambda: embedder.embed(raster[None])),
        "scores and probabilities": _ms(
            lambda: compute_posterior(known.head.adapt(), weights.head_parameters.calibration, vector)
        ),
        "whole domain call": _ms(lambda: workspace.predict(glyph)),
        "pack the answer": _ms(lambda: convert.prediction(workspace.predict(glyph)).SerializeToString())
        - _ms(lambda: workspace.predict(glyph)),
        "pack the answer (bytes only)": _ms(answer.SerializeToString),
    }


def _ms(step: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times))
