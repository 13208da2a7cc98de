.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCALSTRIPE := $(VENV)/localstripe/bin/localstripe
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
BROWSERS := chromium chromium-browser google-chrome

.PHONY: help install browser localstripe up demo test histories lint lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Create .venv and install the locked, hashed requirements

$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: on Debian and Ubuntu it is the package python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

browser: install ## Make sure that there is a Chromium for the tests of pages
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's chromium ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null && exit 0; \
	fi; \
	$(BIN)/python -m playwright install chromium

localstripe: $(LOCALSTRIPE) ## Install localstripe, a stand-in for Stripe that tests speak to, beside .venv's own packages

$(LOCALSTRIPE): tests/gateways/localstripe.txt $(STAMP)
	@$(PYTHON) -m venv --clear $(VENV)/localstripe
	@$(VENV)/localstripe/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes --requirement tests/gateways/localstripe.txt
	@touch $@

up: install ## Start the whole stack and leave it running until Ctrl-C (ARGS="--port-base 21000")
	@$(BIN)/checkout up $(ARGS)

demo: install ## Make real purchases on the real stack (ONCE=1 ends by itself)
	@$(BIN)/checkout demo $(if $(ONCE),--once) $(ARGS)

test: install browser localstripe ## Run every test (ARGS="tests/checkout -x")
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

histories: install ## Record the histories of the replay tests anew, on purpose
	rm -f tests/histories/*.json
	$(BIN)/python -m pytest tests/workflows/test_confirmation.py tests/workflows/test_further_runs.py tests/workflows/test_lifetime.py tests/workflows/test_due_payments.py --record $(ARGS)

lint: install ## Check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

lock: ## Resolve pyproject.toml anew into requirements.txt, and localstripe's own (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements.txt
	echo localstripe | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" - --output-file tests/gateways/localstripe.txt

clean: ## Delete what was installed and all state of the embedded stack
	rm -rf $(VENV) .checkout *.egg-info
