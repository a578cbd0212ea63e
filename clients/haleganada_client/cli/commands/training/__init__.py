"""Commands for data sets, and for models that are trained on them."""
