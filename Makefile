# `make help` lists the goals. Each one first makes what it needs, and does nothing where nothing has changed.
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Options for pytest, as in: make test ARGS="-k topics -m 'not kafka'"
ARGS ?=
# Processes of the tests, which share a Kafka: more than there are cores, for many tests wait for a time-out.
JOBS ?= 4

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

.PHONY: install
install: $(VENV)/.project  ## the environment in .venv, with the pinned packages and the command `respite`

# Outside the stamps: a machine can lose a package while the stamps stay.
$(VENV)/.python:
	@deploy/bootstrap.sh python
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.requirements: requirements-dev.txt $(VENV)/.python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Without isolation the build uses the pinned hatchling just installed and fetches nothing.
$(VENV)/.project: pyproject.toml $(VENV)/.requirements
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Where nothing has changed the kernels are loaded from their cache, which takes seconds.
$(VENV)/.kernels: $(shell find detectors/kernels schemas/decode schemas/encode schemas/jit.py -name '*.py') $(VENV)/.project
	@$(BIN)/python -m stream.cli.compile_kernels
	@touch $@

.PHONY: kernels
kernels: $(VENV)/.kernels  ## compile the kernels beforehand; a first start would do it

.PHONY: test
test: install kernels  ## all tests, those with a real Kafka too
	-@deploy/bootstrap.sh kafka prometheus browser curl
	@# 5: of what ARGS names there is nothing in this half.
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadgroup --no-loadscope-reorder --alone without $(ARGS) || test $$? -eq 5
	$(BIN)/python -m pytest --alone only $(ARGS) || test $$? -eq 5

.PHONY: check
check: install  ## everything that is judged without running it: style, types, imports, published schemas, rules, dashboards
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.house_rules
	$(BIN)/python -m schemas.publish --check
	$(BIN)/python -m deploy.prometheus.suppressed --check
	$(BIN)/python -m deploy.grafana.dashboards --check
	$(BIN)/python -m docs.reference --check

# NO_MKDOCS_2_WARNING: the theme advertises its successor otherwise.
.PHONY: docs
docs: install  ## the manual in build/docs, English and Chinese; look: python3 -m http.server -d build/docs
	$(BIN)/python -m docs.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --clean --config-file docs/mkdocs.yml
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --clean --config-file docs/mkdocs.zh.yml

.PHONY: format
format: install  ## bring the code into the form that `make check` asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: broker
broker:  ## start a Kafka of our own on this machine and print its address
	@deploy/bootstrap.sh kafka
	@$(PYTHON) deploy/kafka/broker.py start

.PHONY: stop
stop:  ## stop that Kafka
	@$(PYTHON) deploy/kafka/broker.py stop

.PHONY: demo
demo: install kernels  ## a city's day in a minute: Kafka, couriers, worker, alerts, the console in your browser
	@deploy/bootstrap.sh kafka
	@$(BIN)/respite demo $(ARGS)

.PHONY: chaos
chaos: install  ## break a running city in every way and compare with the evidence; under 30 minutes
	@deploy/bootstrap.sh kafka faketime
	$(BIN)/python -m tests.chaos $(ARGS)
	$(BIN)/python -m tests.chaos --kills 100 $(ARGS)

.PHONY: screenshots
screenshots: install  ## the manual's pictures of the console, taken anew from a demo
	@deploy/bootstrap.sh kafka browser
	@$(BIN)/python deploy/screenshots/take.py

.PHONY: bench
bench: install kernels  ## measure on this machine, and say which machine that was; under half an hour
	@deploy/bootstrap.sh kafka
	@$(BIN)/python benchmarks/suite.py $(ARGS)

.PHONY: bench-quick
bench-quick: install kernels  ## the same in small, under five minutes
	@deploy/bootstrap.sh kafka
	@$(BIN)/python benchmarks/suite.py --quick $(ARGS)

.PHONY: bench-peers
bench-peers: install kernels  ## the same job by other engines, in one run; fetches them (Maven, PyPI)
	@deploy/bootstrap.sh kafka
	@$(BIN)/python benchmarks/peers/run.py $(ARGS)
