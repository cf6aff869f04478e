.PHONY: demo test test-all lint

# Render a default service, start it, and call its API.
demo:
	@scripts/setup.sh
	@.venv/bin/python scripts/demo.py

# The default selection of variants; `make test-all` runs more of them and renders all.
test: lint
	@scripts/setup.sh servers
	.venv/bin/python -m pytest -n 2 --dist loadgroup

test-all: lint
	@scripts/setup.sh servers
	.venv/bin/python -m pytest -n 2 --dist loadgroup --all

lint:
	@scripts/setup.sh
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
