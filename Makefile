# Processes keep the byte code of what they import, whatever the environment of CI says.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test test-all test-real lint bench bench-smoke site

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1@/p' Makefile | while IFS=@ read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; \
	done

demo: ## render the default service, start it and call its API
	@scripts/setup.sh
	@.venv/bin/python -m scripts.demo

test: $(if $(ONE)$(K),,lint) ## test a selection of variants; ONE=asyncpg-jwt-flat for some, K=asyncpg for some tests
	@scripts/setup.sh servers
	.venv/bin/python -m pytest $(if $(ONE),-v --one "$(ONE)",-n 3 --dist loadgroup) $(if $(K),-k "$(K)")

test-all: $(if $(PART),,lint bench-smoke) ## render all variants and test many of them; PART=updates for a part
	@scripts/setup.sh servers
	.venv/bin/python -m pytest -n 3 --dist loadgroup --all $(PART:%=--part %)

# Parts are folders or files. What else SKIP names is in the names of tests.
part_of = $(or $(wildcard tests/real/$1/conftest.py),tests/real/test_$1.py)
paths_of = $(foreach part,$1,$(patsubst %/conftest.py,%,$(call part_of,$(part))))
skipped_parts = $(wildcard $(call paths_of,$(SKIP)))
skipped_tests = $(foreach name,$(SKIP),$(if $(wildcard $(call paths_of,$(name))),,$(name)))

test-real: ## test on MySQL, Galera, Docker, other Pythons and GitHub's workflows; PART=mysql for some, SKIP="docker python3.14"
	@scripts/setup.sh servers real
	.venv/bin/python -m pytest -v --real --record $(call paths_of,$(PART)) $(skipped_parts:%=--ignore %) \
		$(if $(skipped_tests),-k "not ($(skipped_tests:%=% or) nothing)")

lint: ## check format, code, types and spelling of this repository
	@scripts/setup.sh
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/codespell

bench: ## run the benchmarks and write docs/performance.md; ONLY=main,drivers for some sections
	@scripts/setup.sh servers benchmarks
	.venv/bin/python -m benchmarks $(ONLY:%=--only %)

bench-smoke: ## run each benchmark once, too short for results
	@scripts/setup.sh servers benchmarks
	.venv/bin/python -m benchmarks --smoke $(ONLY:%=--only %)

site: ## build the explorer and the documentation in build/site; URL=https://… for the commands in it
	@scripts/setup.sh site
	.venv/bin/python -m website $(URL:%=--url %)
