# Every command a person needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2
quoted = '$(subst ','\'',$(1))'

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-16s %s\n", $$1, $$2}'

.venv/.ready: requirements/uv.txt requirements/dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: .venv/.ready ## Make .venv with everything that development needs

.PHONY: lock
lock: setup ## Resolve the pinned and hashed requirement files anew
	requirements/lock

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: check
check: setup ## Format, lint, imports, both type checkers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright

.PHONY: client
client: setup ## Make the environments of the mlflow clients, in the cache folder
	@$(BIN)/python -m tests.support.environments >/dev/null

.PHONY: unit
unit: setup ## The unit tests alone: pure, no network, no disk
	$(BIN)/pytest -q -n $(JOBS) tests/unit

.PHONY: test
test: setup client ## Unit and contract tests; needs no root, no cluster, and after set-up no network
	$(BIN)/pytest -q -n $(JOBS) --dist loadgroup tests/unit tests/contract

.PHONY: test-again
test-again: setup ## After `make test`: the few that failed, by themselves; names those that pass now
	@$(BIN)/python -m tests.support.failed_again

.PHONY: api-coverage
api-coverage: setup ## Which calls of MLflow's API are answered, and whether each of their fields is read; 1 if anything is missing
	@$(BIN)/python -m tests.support.api_table --check

.PHONY: fuzz
fuzz: setup ## Garbage on every route of a server; SECONDS=60 SEED=1 DATABASE=sqlite|postgresql|mariadb; 1 if an answer was wrong
	@$(BIN)/python -m tests.support.fuzzing --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) --database $(or $(DATABASE),sqlite)

.PHONY: bench
bench: setup client ## Speed beside MLflow's own server; DATABASE=sqlite SCALE=small WORKLOADS='history' AGAINST=mlflow JSON=file WRITE=1
	@$(BIN)/python -m tests.bench --database $(or $(DATABASE),postgresql) --scale $(or $(SCALE),full) \
		$(if $(WORKLOADS),--workloads $(WORKLOADS)) $(if $(AGAINST),--against $(AGAINST)) \
		$(if $(JSON),--json $(JSON)) $(if $(WRITE),--write)

.PHONY: bench-lifecycle
bench-lifecycle: setup client ## Upgrade, backup, restore and gc of a large database; DATABASE=postgresql METRICS=10000000 DELETED=100000 WRITE=1
	@$(BIN)/python -m tests.bench.lifecycle --database $(or $(DATABASE),postgresql) \
		--metrics $(or $(METRICS),10000000) --deleted $(or $(DELETED),100000) $(if $(WRITE),--write)

.PHONY: emulators
emulators: setup ## Make the emulators of object stores (Go, npm), in the cache folder
	@$(BIN)/python -m tests.support.emulators

.PHONY: stores
stores: setup emulators client ## Every promise of the artifact stores, over a folder and the emulators; ends with a matrix
	TRACKPLANE_TEST_STRICT=1 $(BIN)/pytest -q -p tests.support.store_matrix tests/contract/stores tests/contract/client/test_store_modes.py

.PHONY: transfer
transfer: setup emulators ## A large file up and down through one server process: memory, disk; SIZE=5G LIMIT=512M STORE=s3|gcs|azure|local
	@$(BIN)/python -m tests.support.transfer --size $(or $(SIZE),5G) --limit $(or $(LIMIT),512M) --store $(or $(STORE),s3)

.PHONY: cut
cut: setup emulators ## Uploads cut in the middle, and what is left of them in the store (nothing, else 1); N=20 STORE=s3|gcs|azure|local
	@$(BIN)/python -m tests.support.cut --count $(or $(N),20) --store $(or $(STORE),s3)

.PHONY: parity
parity: setup client ## Generated calls to MLflow's own server and to ours; CALLS=2000 SEED=1 DATABASE=sqlite|postgresql|mariadb
	@$(BIN)/python -m tests.support.parity --calls $(or $(CALLS),2000) --seed $(or $(SEED),1) --database $(or $(DATABASE),sqlite) \
	    $(if $(REPLAY),--replay $(REPLAY)) $(if $(SURVEY),--survey)

.PHONY: adopt
adopt: setup client ## Upgrade a copy of a file of MLflow with MLflow and one with ours, and compare; DB=sqlite:///mlflow.db; 1 if they differ
	@$(BIN)/python -m tests.support.migrated $(DB) $(COPY)

.PHONY: releases
releases: setup client ## As adopt, of databases that releases of MLflow make here; RELEASES='1.0 1.13 2.3' ENGINE=sqlite SEEDS=2 KILLS=3; 1 if they differ
	TRACKPLANE_TEST_ALL_GOLDENS=1 $(BIN)/pytest -q tests/contract/databases/test_goldens_on_servers.py -k $(or $(ENGINE),sqlite) || [ $$? = 5 ]
	@$(BIN)/python -m tests.support.releases $(or $(RELEASES),1.0 1.2 1.13 1.21 1.30 2.1 2.3 2.9 2.14 2.22 3.1 3.5) \
		--engine $(or $(ENGINE),sqlite) --seeds $(or $(SEEDS),2) --kills $(or $(KILLS),0)

.PHONY: kill-steps
kill-steps: setup client ## Kill upgrades, restores and gc at each statement and run them again; ENGINE=sqlite|mariadb|postgresql STRIDE=1
	TRACKPLANE_KILL_STRIDE=$(or $(STRIDE),1) $(BIN)/pytest tests/contract/databases -k "kill and ($(or $(ENGINE),sqlite) or a_file)"

.PHONY: roundtrip
roundtrip: setup ## Generated rows through archives, from each engine to each and back; SEED=1 ROWS=30 ENGINES='sqlite postgresql mariadb'
	@$(BIN)/python -m tests.support.roundtrip $(if $(SEED),--seed $(SEED)) --rows $(or $(ROWS),30) \
	    --engines $(or $(ENGINES),sqlite postgresql mariadb)

.PHONY: demo
demo: setup client ## A tracking server here, a first run logged to it, and its address; DEMO=once ends after the check
	@$(BIN)/python examples/demo.py --client "$$($(BIN)/python -m tests.support.environments)" $(if $(filter once,$(DEMO)),--once)

.PHONY: serve
serve: setup ## A tracking server on SQLite and a local folder
	$(BIN)/trackplane server

.PHONY: images
images: ## Build the images trackplane-server:dev and trackplane-operator:dev
	tests/cluster/cluster images

.PHONY: cluster-tools
cluster-tools: ## Make the cluster's tools, engine and node image here, from Debian packages and Go modules (as root)
	tests/cluster/host/prepare

.PHONY: cluster-up
cluster-up: setup ## A Kubernetes cluster on kind, made unless it is there
	tests/cluster/cluster up

.PHONY: cluster-load
cluster-load: setup ## Build the images and load them on every node of the cluster
	tests/cluster/cluster load

.PHONY: cluster-run
cluster-run: setup ## Run CMD with the cluster's tools, for example CMD='kubectl get nodes'
	@CMD=$(call quoted,$(CMD)) tests/cluster/cluster run

.PHONY: cluster-test
cluster-test: setup client ## The stories on the cluster; STORY=adopt is one of them
	tests/cluster/cluster test $(STORY)

.PHONY: crash
crash: setup ## Kill -9 at random under writes, then read all back; SEED=1 SECONDS=90 DATABASE=sqlite|postgresql
	@tests/cluster/cluster crash --seed $(or $(SEED),1) --seconds $(or $(SECONDS),90) --database $(or $(DATABASE),sqlite)

.PHONY: cluster-down
cluster-down: ## Remove the cluster, and the Docker engine that cluster-up started
	tests/cluster/cluster down
