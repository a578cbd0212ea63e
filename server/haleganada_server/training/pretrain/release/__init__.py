"""From a trained network to shipped weights: export, head, calibration, metrics, model card."""
