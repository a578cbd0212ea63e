"""The Haleganada server: it learns labeled drawings and recognizes new ones."""

from __future__ import annotations

import os

# From 1.29 on, ONNX Runtime reports what it runs to its makers, in every process that imports it.
# Drawings and documents are nobody else's business, and a server must not call anyone by itself.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
