"""Training and evaluation: of the embedder (pretrain), of models on data sets (fit, evaluation), and online.

Needs the `train` extra. Evaluation runs without torch.
"""

import os

from haleganada_server.runtime.processes.child_processes import torch_environment

# For processes that no server has started, like pretrain: OpenMP looks here once, when torch is imported.
os.environ.update(torch_environment())
