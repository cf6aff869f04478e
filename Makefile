.PHONY: demo test test-all bench bench-smoke lint

# Render a default service, start it, and call its API.
demo:
	@scripts/setup.sh
	@.venv/bin/python -m scripts.demo

# The default selection of variants; `make test-all` runs more of them and renders all.
# `make test ONE=asyncpg-jwt-flat` renders, checks and exercises one, in less than a minute.
test: $(if $(ONE),,lint)
	@scripts/setup.sh servers
	.venv/bin/python -m pytest $(if $(ONE),-v --one "$(ONE)",-n 2 --dist loadgroup)

test-all: lint bench-smoke
	@scripts/setup.sh servers
	.venv/bin/python -m pytest -n 2 --dist loadgroup --all

# A quarter of an hour, on a machine that does nothing else; writes docs/performance.md.
bench:
	@scripts/setup.sh servers benchmarks
	.venv/bin/python -m benchmarks

# Everything once, too short to be quoted.
bench-smoke:
	@scripts/setup.sh servers benchmarks
	.venv/bin/python -m benchmarks --smoke

lint:
	@scripts/setup.sh
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
