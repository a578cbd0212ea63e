"""Runs the embedder: by onnxruntime on a CPU, by torch on a GPU. Nothing outside knows which."""
