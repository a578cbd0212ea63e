"""Data sets, trainings and evaluations of them, and the models that come of them."""
