"""The commands that read documents, and what they share."""
