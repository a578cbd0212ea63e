"""Lines of text, drawn with fonts and worn as if they had been printed and scanned."""
