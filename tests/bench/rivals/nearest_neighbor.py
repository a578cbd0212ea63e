"""A server as one writes it in an afternoon: python -m tests.bench.rivals.nearest_neighbor

It answers with the label of the most similar embedding, by the product's network, on gRPC's own threads. It keeps
everything in memory, checks nothing, and knows no “unknown”.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import grpc
import numpy as np
from google.protobuf.message import Message
from haleganada.v1 import ocr_service_pb2
from haleganada_server.config import SHIPPED_WEIGHTS
from haleganada_server.rpc.convert import common
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input, rasterize
from numpy.typing import NDArray

THREADS = 16  # as many calls as the product carries out at once


class NearestNeighbor:
    """Train and Predict of haleganada.v1.OCRService."""

    def __init__(self) -> None:
        weights = load_weights(SHIPPED_WEIGHTS)
        self._embedder = OnnxEmbedder(weights, partial(network_input, side=weights.side))
        self._labels: list[str] = []
        self._vectors = np.zeros((0, 256), np.float32)

    def Train(
        self, request: ocr_service_pb2.TrainRequest, context: grpc.ServicerContext
    ) -> ocr_service_pb2.TrainResponse:
        del context
        self._vectors = np.vstack([self._vectors, self._embed(request)])
        self._labels.append(request.label)
        return ocr_service_pb2.TrainResponse(sample_id=len(self._labels))

    def Predict(
        self, request: ocr_service_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> ocr_service_pb2.PredictResponse:
        del context
        similarities = self._vectors @ self._embed(request)
        best = int(similarities.argmax())
        answer = ocr_service_pb2.Candidate(label=self._labels[best], probability=float(similarities[best]))
        return ocr_service_pb2.PredictResponse(candidates=[answer], decision=ocr_service_pb2.DECISION_RECOGNIZED)

    def _embed(self, request: ocr_service_pb2.TrainRequest | ocr_service_pb2.PredictRequest) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = self._embedder.embed(rasterize(common.glyph(request.glyph))[None])
        return np.asarray(embeddings[0])


def _handler(method: Callable[..., Message], request: type[Message]) -> grpc.RpcMethodHandler[Message, Message]:
    return grpc.unary_unary_rpc_method_handler(method, request.FromString, lambda answer: answer.SerializeToString())


def main() -> None:
    server, service = grpc.server(ThreadPoolExecutor(THREADS)), NearestNeighbor()
    handlers = {
        "Train": _handler(service.Train, ocr_service_pb2.TrainRequest),
        "Predict": _handler(service.Predict, ocr_service_pb2.PredictRequest),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("haleganada.v1.OCRService", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"nearest neighbor serves on 127.0.0.1:{port} ", flush=True)
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
