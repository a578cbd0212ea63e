"""Runs the embedder's network: onnxruntime on the CPU, torch on CUDA. Nothing outside this room knows which."""
