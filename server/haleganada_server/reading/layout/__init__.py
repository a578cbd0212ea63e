"""Lines, words and characters by where they stand: cut out, put together, in reading order."""
