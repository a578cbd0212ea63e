"""Workspaces: isolated vocabularies, each a function of its log."""
