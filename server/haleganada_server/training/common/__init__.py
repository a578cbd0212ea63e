"""What several kinds of training share."""
