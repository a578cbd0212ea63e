"""Previews of a data set as a network receives it in training."""
