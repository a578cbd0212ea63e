"""Benchmarks: each prints a table beside its baseline. They are not tests: nothing here fails."""
