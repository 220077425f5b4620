.DEFAULT_GOAL := help
.PHONY: help demo test test-lowest check lock bench bench-peer
.DELETE_ON_ERROR:

BIN := .venv/bin

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.ready ## start the provider and the demo applications; Ctrl-C stops them
	@$(BIN)/idp demo

test: ## format, lint, types, import contracts and every test, on SQLite and PostgreSQL
	@.ci/test

test-lowest: ## every test, with the lowest versions that pyproject.toml allows
	@.ci/lowest

check: .venv/.ready-dev ## format, lint, types and import contracts only
	@.ci/check

lock: .venv/.ready ## write down the packages that the image is made of (UPGRADE=1: the newest)
	@.ci/lock $(if $(UPGRADE),--upgrade)

bench: .venv/.ready-dev ## print the measured figures as a table
	@$(BIN)/python -m tests.bench

bench-peer: .venv/.ready-dev ## the same beside npm's oidc-provider, with the ratio
	@$(BIN)/python -m tests.bench.peer

.venv/.ready: pyproject.toml .ci/venv
	@.ci/venv
	@touch $@

.venv/.ready-dev: pyproject.toml .ci/venv
	@.ci/venv dev
	@touch .venv/.ready $@
