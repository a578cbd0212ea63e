"""Trained networks as files: safetensors and ONNX, in full, half and 8-bit precision."""
