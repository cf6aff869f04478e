"""What the tests, benchmarks and scripts of this repository share."""
