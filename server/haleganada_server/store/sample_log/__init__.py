"""The log of taught samples of one workspace, in one SQLite file."""
