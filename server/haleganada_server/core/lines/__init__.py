"""Lines of text as recognizers see them: symbols, decoding, and how wrong a text is."""
