# Each target is one step; the work is done by tools/install.sh and by `.venv/bin/python -m svc`.
MAKEFLAGS += --no-print-directory
python := .venv/bin/python
ARGS :=
DESK := django-helpdesk
.DEFAULT_GOAL := help
.PHONY: help install demo demo-desk up test test-rt docs bench chaos footprint lint fix contracts lock clean

help: ## say what each target does
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: ## make .venv as requirements.lock says (does nothing when it is so already)
	@sh tools/install.sh

demo: install ## run the value chain once and show it: make demo ARGS="--once --json"
	@$(python) -m svc demo $(ARGS)

demo-desk: install ## the same with a real service desk beside it: make demo-desk DESK=rt ARGS="--once --json"
	@$(python) -m svc desk demo $(DESK) $(ARGS)

up: install ## run the value chain until Ctrl-C
	@$(python) -m svc up $(ARGS)

test: lint ## lint, then all tests, two files at a time: make test ARGS="-k plan"
	@$(python) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/docs $(ARGS)

test-rt: install ## the tests with a real Request Tracker 5, which root installs from Debian's packages
	@SVC_TEST_RT=1 $(python) -m pytest tests/desks/test_rt.py $(ARGS)

docs: install ## run every command that README and docs/ tell a reader to type; takes minutes, and is not part of make test
	@$(python) -m pytest tests/docs $(ARGS)

bench: install ## measure one hop against other ways of doing it: make bench ARGS="--json"
	@$(python) -m svc bench $(ARGS)

chaos: install ## kill services under load and balance the books: make chaos ARGS="--kills 100 --seed 7 --json"
	@$(python) -m svc chaos $(ARGS)

footprint: install ## start the containers of each profile and count what they take: make footprint ARGS="core --json"
	@$(python) -m svc.footprint measure $(ARGS)

lint: install ## check style, types and architecture; changes nothing
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@$(python) -m svc.repetition
	@$(python) -c 'from importlinter.cli import lint_imports_command as lint; lint(["--no-logo"])'

fix: install ## mend what ruff can mend
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .

contracts: install ## write what is derived from contracts and scenarios anew; refuses what would break a reader
	@$(python) -m contracts.render $(ARGS)
	@$(python) -m svc scenario schema > scenarios/schema.json

lock: install ## resolve the newest versions into requirements.lock
	@$(python) -m uv --quiet pip compile pyproject.toml --all-extras --group dev --group bench --universal --generate-hashes \
		--python-version 3.11 --no-header --upgrade --output-file requirements.lock
	@$(python) -m uv --quiet pip compile svc/desks/helpdesk.in --universal --generate-hashes \
		--python-version 3.11 --no-header --upgrade --output-file svc/desks/helpdesk.lock
	@echo 'uv' | $(python) -m uv --quiet pip compile - --universal --generate-hashes \
		--python-version 3.11 --no-header --upgrade --output-file tools/bootstrap.lock

clean: ## remove what install, tests and runs have made here (downloads and data in .svc too)
	@rm -rf .venv .svc .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
