"""The tests of the service: `uv run pytest`, or `uv run pytest -n auto --cov --cov-branch` as in CI."""
