"""Benchmarks: `python -m benchmarks` and `python -m benchmarks.logins`."""
