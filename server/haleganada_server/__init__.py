"""The Haleganada server: it holds what was taught and recognises what is drawn."""
