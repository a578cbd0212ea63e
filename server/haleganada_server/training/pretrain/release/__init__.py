"""From a trained network to shipped weights: export, head, calibration, measurements, model card."""
