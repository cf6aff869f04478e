"""What is claimed, measured: `python -m benchmarks`, and `python -m benchmarks.logins`."""
