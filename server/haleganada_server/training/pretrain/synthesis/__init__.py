"""Training characters made from strokes, scans and fonts."""
