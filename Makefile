# `make demo` and `make test` need Python 3.10 or newer and nothing else.

PYTHON ?= python3
BIN := .venv/bin
HYPOTHESIS_PROFILE ?= $(if $(CI),ci,default)

.PHONY: demo test lint types imports pytest bench example tables zoo clean

demo: .venv/demo
	$(BIN)/lrd explain vit_base_patch16_224
	$(BIN)/lrd explain swin_tiny_patch4_window7_224
	$(BIN)/lrd explain convnext_small
	$(BIN)/python -m benchmarks.demo

test: lint types imports pytest

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

imports: .venv/dev
	$(BIN)/lint-imports

pytest: .venv/dev
	$(BIN)/python -m pytest --hypothesis-profile=$(HYPOTHESIS_PROFILE)

bench: .venv/dev
	$(BIN)/python -m benchmarks.speed

example: .venv/dev
	$(BIN)/python examples/finetune_digits.py

zoo: .venv/dev
	$(BIN)/python -m zoo order
	$(BIN)/python -m zoo drafts

tables: .venv/dev
	$(BIN)/python -m tables --write

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[timm]'
	touch $@

.venv/dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ .venv/demo
