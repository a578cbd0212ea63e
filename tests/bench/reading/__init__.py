"""How well and how fast text is read: python -m tests.bench.reading."""
