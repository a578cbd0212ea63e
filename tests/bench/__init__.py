"""Benchmarks, which print tables of measurements and baselines. They are not tests; nothing here fails."""
