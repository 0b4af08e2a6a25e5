# `make demo` and `make test` need Python 3.10 or newer and nothing else: what they install is in
# constraints.txt, so that tomorrow they do what they did today.

PYTHON ?= python3
BIN := .venv/bin
HYPOTHESIS_PROFILE ?= $(if $(CI),ci,default)
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8
INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install --quiet --editable

.PHONY: demo check test lint types imports unit pytest test-lowest test-pinned test-newest \
	constraints bench example tables zoo mutants explore fuzz clean

demo: .venv/demo
	$(BIN)/lrd explain vit_base_patch16_224
	$(BIN)/lrd explain swin_tiny_patch4_window7_224
	$(BIN)/lrd explain convnext_small
	$(BIN)/python -m benchmarks.demo

check: lint types imports unit

test: lint types imports pytest

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

imports: .venv/dev
	$(BIN)/lint-imports

unit: .venv/dev
	$(PYTEST) -m "not slow and not library" --hypothesis-profile=quick \
		tests/unit tests/properties tests/mutants lrd_registry

pytest: .venv/dev
	$(PYTEST) --dist worksteal --hypothesis-profile=$(HYPOTHESIS_PROFILE)

test-lowest test-pinned test-newest: test-%: .venv/dev
	$(BIN)/nox --session $*

constraints: .venv/dev
	UV_CUSTOM_COMPILE_COMMAND="make constraints" $(BIN)/uv pip compile pyproject.toml --quiet \
		--upgrade --universal --python-version 3.10 --extra dev --extra fuzz --no-annotate \
		--output-file constraints.txt

bench: .venv/dev
	$(BIN)/python -m benchmarks.speed

example: .venv/dev
	$(BIN)/python examples/finetune_digits.py

tables: .venv/dev
	$(BIN)/python -m tables --write

zoo: .venv/dev
	$(BIN)/python -m zoo order
	$(BIN)/python -m zoo resolve
	$(BIN)/python -m zoo rules
	$(BIN)/python -m zoo drafts

mutants: .venv/dev
	$(BIN)/python -m tests.mutants

explore: .venv/dev
	$(PYTEST) --dist worksteal --hypothesis-profile=explore tests/properties \
		tests/wrappers/test_random_stacks.py

fuzz: .venv/fuzz
	$(BIN)/python -m fuzz

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) '.[timm]'
	touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) '.[dev]'
	touch $@ .venv/demo

.venv/fuzz: .venv/dev
	$(INSTALL) '.[fuzz]'
	touch $@
