"""Training and evaluation: of the embedder (pretrain), of models on data sets (fit, evaluation), and online.

Needs the `train` extra. Evaluation runs without torch.
"""
