# `make` alone lists what there is. Every target does its own set-up; a second call finds it done.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first Python here that is new enough and can make virtual environments. `make install PYTHON=/path/to/python` decides.
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(USABLE)' >/dev/null 2>&1 && echo $$python && break; done)

# More arguments for the command behind a target: `make train ARGS='epochs=2 seed=1'`, `make test ARGS='tests/data -x'`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install train test test-all test-lowest nightly check bench detection docs wheel clean

help:  ## list the targets
	@echo "usage: make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP)  ## make .venv and install cnnexp with its development tools into it

train: $(STAMP)  ## train LeNet-5 on 5,000 real MNIST digits (no download)
	$(BIN)/cnnexp train model=lenet5 data=mnist5k $(ARGS)

# Two processes of one thread each: with more threads than cores they slow one another many times over. They keep what
# they compile, whatever the shell says of that: every process that a test starts would compile it again.
TWO := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
# Files go to whichever process is free, in the order of tests/conftest.py: the longest first.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(STAMP)  ## run the tests, but not those marked slow, in two processes
	$(TWO) $(BIN)/python $(PYTEST) $(ARGS)

test-all: $(STAMP)  ## run all tests: training to a score, DDP, kill and resume
	$(TWO) $(BIN)/python $(PYTEST) -m "" $(ARGS)

test-lowest:  ## run the tests with the lowest releases that pyproject.toml lets in, in .venv-lowest
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/python .ci/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --editable '.[dev]' --constraint .venv-lowest/lowest.txt
	$(TWO) .venv-lowest/bin/python $(PYTEST) $(ARGS)

nightly: test-all test-lowest  ## all tests, and the fast ones with the lowest releases

check: $(STAMP)  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## time training beside other programs, and comparing 10,000 runs; let the machine be idle
	$(BIN)/cnnexp bench $(ARGS)
	$(BIN)/python benchmarks/comparing.py

detection: $(STAMP)  ## train every detector of docs/detection.md at its defaults (hours; a mirror in CNNEXP_DATA_MIRROR)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/figures.py detection $(ARGS)

docs: $(STAMP)  ## write docs/zoo.md and the depths of pretrained nets anew from the nets
	$(BIN)/cnnexp list models --markdown > docs/zoo.md.new
	mv docs/zoo.md.new docs/zoo.md
	$(BIN)/python -m cnnexp.anatomy.pretrained > cnnexp/anatomy/depths.json.new
	mv cnnexp/anatomy/depths.json.new cnnexp/anatomy/depths.json

wheel: $(STAMP)  ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel

clean:  ## remove build output and caches; .venv and outputs stay
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache
	find cnnexp tests -type d -name __pycache__ -prune -exec rm -rf {} +

# One command for everything: pip then takes a torchvision and a torch that go together.
$(STAMP): pyproject.toml
	@test -n "$(strip $(PYTHON))" || { echo "make: no Python >= 3.11 with the venv module found;" \
	  "install one (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --editable '.[dev]'
	@touch $@
