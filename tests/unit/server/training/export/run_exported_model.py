"""Run an exported model with onnxruntime and numpy alone, as someone would who has only the file.

python run_exported_model.py MODEL.onnx RASTERS.npy: the rasters are (n, 64, 64) uint8, 255 = ink. Prints JSON:
a list of (label, probability), and which other packages were imported.
"""

import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
card = json.loads(session.get_modelmeta().custom_metadata_map["haleganada.card"])
side = card["preprocessing"]["side"]
rasters = np.load(sys.argv[2]).astype(np.float32) / 255
factor = rasters.shape[1] // side
ink = rasters.reshape(len(rasters), 1, side, factor, side, factor).mean((3, 5))
(probabilities,) = session.run(["probabilities"], {"ink": ink})
answers = [(card["labels"][row.argmax()], float(row.max())) for row in probabilities]
others = [name for name in ("torch", "haleganada_server", "onnx", "PIL") if name in sys.modules]
print(json.dumps({"answers": answers, "others": others}))
