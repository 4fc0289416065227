# run, test: everything they need is set up first, in .venv. Nothing outside this folder is touched, except that as root
# on Debian or Ubuntu the two system libraries that OpenCV needs are installed when they are missing.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
PYTEST_ARGS ?=

.PHONY: run test lint format proof bench docs wheel clean
.DEFAULT_GOAL := run

run: $(VENV)/.serve  ## set up and serve on 127.0.0.1:8000
	$(BIN)/ppe serve

test: $(VENV)/.test  ## set up and run the tests (what needs torch or datasets skips and says so)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## formatting, rules, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proof: $(VENV)/.proof  ## measure the figures that README and model card state; writes docs/evaluation/
	$(BIN)/ppe evaluate --data $(DATA) --out docs/evaluation
	$(BIN)/ppe episodes --clips $(DATA)/clips --out docs/evaluation
	$(BIN)/python -m benchmarks.far_people --data $(DATA) --out docs/evaluation/far_people.json
	$(BIN)/python -m benchmarks.service --out docs/evaluation/service.json
	$(BIN)/python -m benchmarks.http --out docs/evaluation/http.json
	$(BIN)/python -m benchmarks.kill_store --out docs/evaluation/kill_store.json
	$(BIN)/python -m benchmarks.alert_latency --out docs/evaluation/alert_latency.json
	$(BIN)/python -m benchmarks.restart --out docs/evaluation/restart.json
	$(BIN)/python -m benchmarks.outage --out docs/evaluation/outage.json
	$(BIN)/python -m benchmarks.outbox_drain --out docs/evaluation/outbox_drain.json
	PPE_TEST_EXAMPLES=10000 $(BIN)/python -m pytest --timeout=3600 tests/safety/test_alerts.py tests/safety/test_monitor.py
	$(BIN)/python -m benchmarks.motion_gate --clips $(DATA)/clips --out docs/evaluation/motion_gate.json
	$(BIN)/python -m benchmarks.streams --out docs/evaluation/streams.json
	$(BIN)/python -m benchmarks.camera_faults --out docs/evaluation/camera_faults.json
	$(BIN)/python -m benchmarks.many_cameras --out docs/evaluation/many_cameras.json
	$(BIN)/python -m benchmarks.kills --out docs/evaluation/kills.json
	$(BIN)/python -m benchmarks.bad_disk --out docs/evaluation/bad_disk.json
	$(BIN)/python -m benchmarks.bad_day --out docs/evaluation/bad_day.json
	$(BIN)/python -m benchmarks.onslaught --out docs/evaluation/onslaught.json
	$(BIN)/python -m benchmarks.forbidden --out docs/evaluation/forbidden.json
	$(BIN)/python -m benchmarks.screen --seconds 30 --out docs/evaluation/screen.json
	$(BIN)/python -m benchmarks.schemathesis_run --out docs/evaluation/schemathesis.json
	$(BIN)/python -m benchmarks.rtsp_soak --clip $(DATA)/clips/pratim_ppe-1.mp4 --cameras 4 --kills 50 --seconds 3600 --out docs/evaluation/rtsp_soak.json

bench: $(VENV)/.train
	$(BIN)/python -m benchmarks.http

docs: $(VENV)/.serve  ## write the generated pages
	$(BIN)/python -c "from service.settings import as_markdown; print(as_markdown(), end='')" > docs/configuration.md

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) dist build

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.serve: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	sh .ci/libraries $(BIN)/python
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.serve
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.serve
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# torch first and pinned: a bare "ultralytics" would fetch whatever torch is newest
$(VENV)/.train: pyproject.toml | $(VENV)/.test
	$(BIN)/python -m pip install --quiet torch==2.14.1 torchvision==0.29.1
	$(BIN)/python -m pip install --quiet --editable '.[train,test]'
	touch $@

$(VENV)/.proof: pyproject.toml | $(VENV)/.train
	$(BIN)/python -m pip install --quiet --editable '.[proof]'
	touch $@
