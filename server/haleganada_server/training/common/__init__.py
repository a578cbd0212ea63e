"""Code that several kinds of training share."""
