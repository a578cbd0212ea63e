"""Time of each step of one Predict, within this process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from haleganada.v1 import ocr_service_pb2
from haleganada_client.wire.drawings import pack_drawing
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


def measure_predict_steps() -> Table:
    """Measure the median time of each step, for strokes and for a 280 x 280 PNG."""
    table = Table("Steps of one Predict, median", ("step", "strokes", "280×280 PNG"))
    with tempfile.TemporaryDirectory() as folder:
        app = build_app(ServerConfig(Path(folder), port=0, device="cpu"))
        workspace = app.workspaces.get()
        for label in LABELS:
            workspace.train(Lesson(common.glyph(_make_strokes_request(label, 1).glyph), label))
        columns = [_measure_steps(app, _make_strokes_request("ಅ", 5)), _measure_steps(app, _make_png_request("ಅ", 5))]
        for step in columns[0]:
            table.add(step, *(f"{1000 * column[step]:.0f} µs" for column in columns))
        app.stop(0)
    return table


def _make_strokes_request(label: str, hand: int) -> ocr_service_pb2.PredictRequest:
    return ocr_service_pb2.PredictRequest(glyph=pack_drawing(strokes(label, hand)))


def _make_png_request(label: str, hand: int) -> ocr_service_pb2.PredictRequest:
    return ocr_service_pb2.PredictRequest(glyph=pack_drawing(canvas_png(label, hand)))


def _measure_steps(app: object, request: ocr_service_pb2.PredictRequest) -> dict[str, float]:
    embedder, workspace = app.embedder, app.workspaces.get()  # type: ignore[attr-defined]
    packed, weights = request.SerializeToString(), load_weights(ServerConfig(Path()).weights_dir)
    glyph = common.glyph(request.glyph)
    raster = rasterize(glyph)
    embedding = embedder.embed(raster[None])[0]
    vector = weights.head_parameters.projection.project_one(embedding)
    prediction = workspace.predict(glyph)
    answer = convert.prediction(prediction)
    known = workspace.adapt()
    return {
        "parse the request": _median_ms(lambda: common.glyph(ocr_service_pb2.PredictRequest.FromString(packed).glyph)),
        "rasterize the drawing": _median_ms(partial(rasterize, glyph)),
        "prepare network input": _median_ms(lambda: network_input(raster[None], weights.side)),
        "embed (with input)": _median_ms(lambda: embedder.embed(raster[None])),
        "project": _median_ms(lambda: weights.head_parameters.projection.project_one(embedding)),
        "score and calibrate": _median_ms(
            lambda: compute_posterior(known.head, weights.head_parameters.calibration, vector)
        ),
        "predict, all in all": _median_ms(lambda: workspace.predict(glyph)),
        "convert and serialize the answer": _median_ms(lambda: convert.prediction(prediction).SerializeToString()),
        "serialize the answer only": _median_ms(answer.SerializeToString),
    }


def _median_ms(step: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times))
