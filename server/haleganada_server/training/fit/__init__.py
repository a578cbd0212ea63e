"""Training a model on a data set, as a job."""
