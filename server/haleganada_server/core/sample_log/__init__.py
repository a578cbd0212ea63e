"""The log of taught samples as the core sees it: its rows, and the port that a storage engine implements."""
