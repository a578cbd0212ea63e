"""The JSON routes of data sets, trainings and models."""
