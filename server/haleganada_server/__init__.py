"""The Haleganada server: it learns labeled drawings and recognizes new ones."""
