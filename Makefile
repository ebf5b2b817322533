# Two targets do everything on a fresh machine: `make demo` and `make test`. `make help` lists all.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= ./data
STAMP := $(VENV)/.installed
SPARK_STAMP := $(VENV)/.installed-spark
# These are published as sources only; their hashes are in the lock.
NO_WHEELS := pure-sasl pyhive pyspark thrift
SPARK_DIR ?= ./data/spark-cluster
MANIFEST := dbt_project/target/manifest.json
DBT_SOURCES := $(shell find dbt_project/models dbt_project/macros dbt_project/tests -type f 2>/dev/null)

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := False

.DEFAULT_GOAL := help
.PHONY: help demo test soak check audit format bench bench-volume bench-history bench-year bench-publication bench-plots docs docs-sources docs-formulas lock holidays spark-up spark-down ui clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 12

$(STAMP): requirements-dev.lock pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 && $(BIN)/python tools/check_python.py >/dev/null 2>&1 \
		|| { $(PYTHON) tools/check_python.py && $(PYTHON) -m venv --clear $(VENV); }
	@$(BIN)/python -m uv --version >/dev/null 2>&1 \
		|| { sed -n '/^uv==/,/[^\]$$/p' requirements-dev.lock > $(VENV)/uv.lock \
		&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r $(VENV)/uv.lock; }
	@$(BIN)/python -m uv pip sync --quiet --python $(BIN)/python --require-hashes --no-build --compile-bytecode requirements-dev.lock
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(SPARK_STAMP): requirements-spark.lock $(STAMP)
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all: \
		$(addprefix --no-binary ,$(NO_WHEELS)) --compile-bytecode -r requirements-spark.lock
	@touch $@

$(MANIFEST): $(STAMP) $(DBT_SOURCES) dbt_project/dbt_project.yml dbt_project/profiles.yml
	@$(BIN)/python -m orchestration.transform.project

demo: $(MANIFEST) ## Sample data, six weeks end to end, and the headline figures, in HOME_DIR
	@$(BIN)/python tools/demo.py "$(HOME_DIR)"

test: $(MANIFEST) ## Every test
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

soak: $(MANIFEST) $(SPARK_STAMP) ## Tests that take long: faults, orders, DuckDB against Spark (Java 17); SOAK_SEED repeats
	@$(BIN)/python -m pytest -m soak

check: $(MANIFEST) ## Lint, types, imports of the tests, SQL format, dbt parse, Dagster definitions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sqlfmt --check --line-length 120 dbt_project docs
	@$(BIN)/mypy
	@$(BIN)/python -m pytest --collect-only -qq > $(VENV)/collected.txt 2>&1 || { grep -A9 '^ERROR\|^E  \|^____' $(VENV)/collected.txt; false; }
	@$(BIN)/python tools/sources_page.py --check
	@$(BIN)/python tools/formulas_page.py --check
	@$(BIN)/python tools/dbt_parse.py
	@$(BIN)/python tools/project_rules.py
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/dg check defs

audit: $(STAMP) ## Known advisories on the pinned dependencies; needs the network, and says so without one
	@$(BIN)/python tools/audit.py

format: $(STAMP) ## Format Python and SQL
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/sqlfmt --quiet --line-length 120 dbt_project docs

bench: $(MANIFEST) ## Measure a run on SCALE (0.01) x August; writes bench/results/august-SCALE.json and latest.json
	@$(BIN)/python bench/run.py

bench-volume: $(MANIFEST) ## Measure a week of ORDERS (5000) against five times as many; for the report of HOME_DIR too
	@$(BIN)/python bench/volume.py "$(HOME_DIR)"

bench-plots: $(STAMP) ## Draw what was measured into docs/images
	@$(BIN)/python bench/plots.py

bench-publication: $(MANIFEST) ## Measure the publication of a week on stores of WEEKS (8,52,260) of 2,000 sellers
	@$(BIN)/python bench/publication.py

bench-history: $(MANIFEST) ## Measure WEEKS (52) of ORDERS (1000) week by week, against all at once, and a late file
	@$(BIN)/python bench/history.py

bench-year: $(MANIFEST) ## Measure WEEKS (52) of daily deliveries: what a home holds, with KEEP_RUNS_DAYS (90)
	@$(BIN)/python bench/year.py

docs: $(MANIFEST) ## The dbt docs site of HOME_DIR, one page without a network, linked from its report
	@$(BIN)/python tools/model_docs.py "$(HOME_DIR)"

docs-sources: $(STAMP) ## Write docs/sources.md from the contract of the sources
	@$(BIN)/python tools/sources_page.py

docs-formulas: $(STAMP) ## Write the table of formulas of docs/data-model.md from the registry and the models
	@$(BIN)/python tools/formulas_page.py

lock: $(STAMP) ## Pin what pyproject.toml asks for, with hashes
	@$(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --no-strip-extras \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@$(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --no-strip-extras \
		--custom-compile-command "make lock" --group dev --extra notify --extra postgres --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	@$(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --no-strip-extras \
		--custom-compile-command "make lock" --extra spark --constraint requirements.lock pyproject.toml -o requirements-spark.lock

holidays: $(STAMP) ## Renew the default holidays from the holidays package
	@$(BIN)/python tools/holidays_seed.py

spark-up: $(SPARK_STAMP) ## A Spark cluster on this machine, with a Thrift server on 127.0.0.1:10000
	@$(BIN)/python tools/spark_cluster.py up "$(SPARK_DIR)"

spark-down: $(SPARK_STAMP) ## Stop that cluster
	@$(BIN)/python tools/spark_cluster.py down "$(SPARK_DIR)"

ui: $(MANIFEST) ## The Dagster UI of HOME_DIR, with schedule and sensor on
	@$(BIN)/metric-store ui --home "$(HOME_DIR)" --automation

clean: ## Remove the environment and the parse, not the data
	@rm -rf $(VENV) dbt_project/target
