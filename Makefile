# setup and run need Python 3.10 or newer and nothing else; some tests also use Node and Chromium where they are.
PYTHON ?= python3
DATA ?= saved_model
ARGS ?=
BIN := .venv/bin
MODELS := server/models/kannada server/models/latin_hand
PYTEST := -m pytest --dist worksteal --numprocesses
WORKERS = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 2)') # more than there are cores: half of the time, tests wait
TORCH_PYTEST := OMP_NUM_THREADS=1 .venv-train/bin/python $(PYTEST) auto
TORCH_TESTS := tests/unit/server/training tests/contract/encoding/test_torch_embedder.py tests/e2e/server/training/test_training.py
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes, which would each compile the same modules

.PHONY: setup run test test-slow test-all lint lint-js fmt fmt-js docs docs-check limits limits-check proto proto-check proto-baseline bench bench-accuracy bench-models bench-reading bench-taught bench-kill bench-damage bench-hold bench-access bench-box bench-growth bench-cluster bench-snapshots screenshots notebook release clean

setup: .venv/.done                       ## The environment of a user: server and web page, no torch

.venv/.done: pyproject.toml server/pyproject.toml $(MODELS:=/pyproject.toml)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[server,web]' --editable server $(MODELS:%=--editable %)
	@touch $@

run: setup                               ## Server and web page on ./saved_model; options: make run ARGS="--port 8081"
	@$(BIN)/haleganada up --data $(DATA) $(ARGS) & up=$$!; trap 'kill $$up' TERM INT HUP; \
	while code=0; wait $$up || code=$$?; kill -0 $$up 2>/dev/null; do :; done; \
	if [ $$code -gt 0 ] && [ $$code -lt 128 ]; then \
	echo 'with make, options are given so: make run ARGS="--port 8081 --listen 127.0.0.1:50052"' >&2; exit $$code; fi

.venv/.done-test: .venv/.done
	$(BIN)/python -m pip install --quiet --group test --group test-bulk --group lint
	@touch $@

test: .venv/.done-test .venv-train/.done ## Everything that tells whether the product works, in minutes; COVERAGE=1 measures it
	$(BIN)/python $(PYTEST) $(WORKERS) -m "not slow" $(if $(COVERAGE),--cov --cov-report=)
ifdef COVERAGE
	@echo "$$($(BIN)/python -m coverage report --format=total) % of the lines are covered, what other processes run left out"
endif
	$(TORCH_PYTEST) -m "not slow" $(TORCH_TESTS)

test-slow: .venv/.done-test .venv-train/.done ## What takes long by nature: rounds of kill -9, pre-training, properties with many examples
	$(BIN)/python $(PYTEST) $(WORKERS) -m "slow or hypothesis" --hypothesis-profile thorough
	$(TORCH_PYTEST) -m slow $(TORCH_TESTS)

test-all: COVERAGE = 1
test-all: test test-slow                 ## Both, with the coverage

.venv-train/.done: pyproject.toml server/pyproject.toml $(MODELS:=/pyproject.toml)  # An environment of its own, so that all other tests run without torch, as users do
	$(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-train/bin/python -m pip install --quiet --editable '.[server]' --editable server $(MODELS:%=--editable %) --group test --group test-train
	@touch $@

lint: .venv/.done-test proto-check limits-check docs-check lint-js  ## Style, types, directions of imports, the contract's style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy server clients tests proto docs
	$(BIN)/lint-imports
	$(BIN)/buf lint proto
	$(BIN)/buf breaking proto --against proto/baseline.binpb
	$(BIN)/hadolint server/deploy/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec server/deploy/compose.yaml server/deploy/compose-replicas.yaml

docs: .venv/.done-test                   ## docs/reference/, from the commands, the SDK and the contract
	$(BIN)/python -m docs.generate

docs-check: .venv/.done-test             ## The reference pages are up to date
	$(BIN)/python -m docs.generate --check

limits: .venv/.done                      ## core/limits.py -> the clients' copies
	$(BIN)/python proto/generate_limits.py

limits-check: .venv/.done                ## The clients' copies match core/limits.py
	$(BIN)/python proto/generate_limits.py --check

fmt: .venv/.done-test fmt-js
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Prints why the tools for JavaScript cannot run; nothing where they can.
NO_NODE = $(shell command -v npm >/dev/null && node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' || echo 'Node 20.19 or newer and npm are not installed')

lint-js:                                 ## The page's JavaScript and CSS: ESLint, prettier, types; skipped without Node
	@if [ -n "$(NO_NODE)" ]; then echo "JavaScript and CSS are not checked: $(NO_NODE)"; \
	else $(MAKE) --silent clients/node_modules/.done && npm --prefix clients run --silent lint; fi

fmt-js:
	@if [ -n "$(NO_NODE)" ]; then echo "JavaScript and CSS are not formatted: $(NO_NODE)"; \
	else $(MAKE) --silent clients/node_modules/.done && npm --prefix clients run --silent fmt; fi

clients/node_modules/.done: clients/package-lock.json
	npm --prefix clients ci --no-audit --no-fund --silent
	@touch $@

.venv-proto/.done: pyproject.toml        # Apart, because the generator is pinned low and holds protobuf back
	$(PYTHON) -m venv .venv-proto
	.venv-proto/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-proto/bin/python -m pip install --quiet --group proto
	@touch $@

proto: .venv-proto/.done                 ## proto/ -> generated/
	.venv-proto/bin/python proto/generate.py

proto-check: .venv-proto/.done           ## generated/ matches proto/
	.venv-proto/bin/python proto/generate.py --check

proto-baseline: .venv/.done-test         ## The contract that `make lint` guards, from now on this one; see proto/buf.yaml
	$(BIN)/buf build proto --exclude-source-info -o proto/baseline.binpb

bench: .venv/.done-test                  ## Latency, throughput, start-up, memory, sizes
	$(BIN)/python -m tests.bench.speed

.venv/.done-bench: .venv/.done-test
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

bench-accuracy: .venv/.done-bench        ## Accuracy beside its baselines, and its plots; needs HALEGANADA_DATA
	$(BIN)/python -m tests.bench.accuracy --plots docs/accuracy

bench-models: .venv-train/.done         ## Models trained on data sets and letter by letter; hours; needs HALEGANADA_DATA
	.venv-train/bin/python -m tests.bench.models.datasets
	.venv-train/bin/python -m tests.bench.models.online
	.venv-train/bin/python -m tests.bench.models.online_serving
	.venv-train/bin/python -m tests.bench.models.rejection
	.venv-train/bin/python -m tests.bench.models.beside

bench-reading: .venv/.done-test          ## Error rates of lines and pages beside the engines' own, and reading beside other work; needs HALEGANADA_DATA
	$(BIN)/python -m tests.bench.reading $(ARGS)
	$(BIN)/python -m tests.bench.reading.serving

bench-taught: .venv/.done-bench          ## Pages in scripts that only their reader knows, composed and real; ARGS="--pages 3" for more; needs HALEGANADA_DATA
	$(BIN)/python -m tests.bench.taught $(ARGS)

bench-kill: .venv/.done-test             ## 1,000 times kill -9 among all changes, half of them at failpoints; ARGS="--record FILE" goes on later
	$(BIN)/python -m tests.bench.kills $(ARGS)

bench-growth: .venv/.done-bench          ## Start, memory, descriptors, latency by workspaces and samples, and the plot
	$(BIN)/python -m tests.bench.growth --plots docs/operating/reliability

bench-hold: .venv/.done-test             ## Idle and slow callers, floods, large pictures in small files
	$(BIN)/python -m tests.bench.overload.hold

bench-access: .venv/.done-test           ## Tokens and certificates that change while they are used
	$(BIN)/python -m tests.bench.access

bench-box: .venv/.done-test              ## 50 clients of 5 people ask for twice what a server can do; ARGS="--minutes 2" is shorter
	$(BIN)/python -m tests.bench.overload.box $(ARGS)

bench-cluster: .venv/.done-test          ## Two servers on one PostgreSQL behind Envoy: teaching, asking, memory, kills, where many bend; ARGS="--kills 33" is shorter
	$(BIN)/python -m tests.bench.cluster $(ARGS)
	$(BIN)/python -m tests.bench.cluster.bends

bench-snapshots: .venv/.done-test        ## Saving 100,000 samples, importing again and again, teaching under automatic snapshots
	$(BIN)/python -m tests.bench.snapshots

bench-bulk: .venv/.done-test             ## 20,000 pictures by `haleganada bulk predict` and by PredictBatch; ARGS="2000 1" is shorter
	$(BIN)/python -m tests.bench.bulk $(ARGS)

bench-damage: .venv/.done-test           ## Damages files of a data directory 500 times; none may go unnoticed
	$(BIN)/python -m tests.bench.damage

screenshots: .venv/.done-test            ## The pictures of docs/, from the real page
	$(BIN)/python -m tests.e2e.web.screenshots

notebook: .venv-train/.done              ## The answers in docs/using/notebook.ipynb, from a real server
	.venv-train/bin/python -m tests.e2e.notebook

.venv-release/.done: pyproject.toml      # Apart, because the tool for SBOMs brings much that nothing else needs
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-release/bin/python -m pip install --quiet --group release
	@touch $@

release: .venv-release/.done             ## dist/ from the last commit: wheels, sources, SBOMs, checksums; publishes nothing
	PATH="$(CURDIR)/.venv-release/bin:$$PATH" .ci/release

clean:
	rm -rf .venv .venv-* build dist clients/node_modules
