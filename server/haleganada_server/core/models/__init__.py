"""Models trained on data sets: their cards and files, which of them answers in which workspace."""
