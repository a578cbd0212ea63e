"""Thin clients of a Haleganada server: the typed SDK, the command line, the web page."""
