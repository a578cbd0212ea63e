"""Line recognizers: trained on data sets of lines by CTC, measured by their error rates, exported for reading."""
