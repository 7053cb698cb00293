# Everything runs in the repository's own .venv, which the first target builds.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test bench lint clean .venv

demo: .venv
	@$(BIN)/python -m adjoint demo

test: .venv
	@$(BIN)/python -m pytest -n auto

bench: .venv
	@$(BIN)/python benchmarks/run.py

lint: .venv
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/codespell
	@$(BIN)/mypy

clean:
	rm -rf .venv .nox .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: .venv/installed

.venv/installed: pyproject.toml
	@echo "Setting up .venv (once; a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@
