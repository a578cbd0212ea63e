"""Runs an exported model with onnxruntime and numpy alone, as somebody would who has nothing but the file.

python run_exported_model.py MODEL.onnx RASTERS.npy: the rasters are (n, 64, 64) uint8, 255 = ink. Prints a JSON list of
(label, probability), and which other packages were needed.
"""

import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
card = json.loads(session.get_modelmeta().custom_metadata_map["haleganada.card"])
side = card["preprocessing"]["side"]
rasters = np.load(sys.argv[2]).astype(np.float32) / 255
by = rasters.shape[1] // side
ink = rasters.reshape(len(rasters), 1, side, by, side, by).mean((3, 5))
(probabilities,) = session.run(["probabilities"], {"ink": ink})
answers = [(card["labels"][row.argmax()], float(row.max())) for row in probabilities]
others = [name for name in ("torch", "haleganada_server", "onnx", "PIL") if name in sys.modules]
print(json.dumps({"answers": answers, "others": others}))
