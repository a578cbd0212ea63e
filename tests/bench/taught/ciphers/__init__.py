"""Lines of real ciphers, and what they say."""
