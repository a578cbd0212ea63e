"""What a workspace knows at one revision, and the predictions that follow from it."""
