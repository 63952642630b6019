# Everything is made below build/; `make clean` is `rm -r build`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# PyTorch's own index of CPU wheels, asked only where pip's configuration has no such wheel.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
DOCKER ?= docker
# The time of the files in seedlock's wheel is the image's, whatever the caller's environment says.
EPOCH := $(shell sed -n 's/^ARG SOURCE_DATE_EPOCH=//p' Dockerfile)
# The name that the engine gets the published image under.
RELEASE ?= conference/repro-base:release

VENV := build/venv
BIN := $(VENV)/bin
TOOLS := build/tools
CRATE := build/crate
SITE := $(VENV)/lib/python3.11/site-packages
PIP := $(PYTHON) -m pip --disable-pip-version-check
LOCKED := --require-hashes --no-deps --only-binary :all:
# pip fetches, since it asks the indexes that this machine names; uv unpacks, ten times as fast as pip.
# Without a cache, which would keep a second copy of all files.
UNPACK := $(TOOLS)/bin/uv pip install -q --no-cache --no-index $(LOCKED)
IS_3_11 = $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
    { echo "make: the lock is for Python 3.11, got $$($(PYTHON) --version); say make PYTHON=/path/to/python3.11" >&2; exit 1; }
PACKAGE := pyproject.toml README.md LICENSE $(shell find seedlock entrypoint -type f -not -name '*.pyc')

.DEFAULT_GOAL := help
.PHONY: help demo serve docs docs-links test lint unit image image-release image-check test-browser test-child test-full test-image image-gpu test-image-gpu test-gpu test-portable portable-table test-power test-services wheels-gpu reference reference-check bench lock wheels dist venv clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

demo: venv ## train five programs under seeds and compare the bits; hold a small round, with its board
	@$(BIN)/python examples/demo.py
	@echo
	@$(BIN)/python examples/demo_round.py build/demo

serve: venv ## show the round of `make demo` in the leaderboard, on port 8000 of this machine
	@test -e build/demo/round/reveal.json || $(BIN)/python examples/demo_round.py build/demo
	@$(BIN)/python examples/serve_round.py build/demo

docs: venv ## build the handbook, build/docs/docs/index.html; a warning is an error
	@$(BIN)/python -m tests.handbook.commands_page
	@$(BIN)/python -m sphinx -q -W --keep-going -n -E -d build/doctrees -c docs . build/docs
	@echo $(CURDIR)/build/docs/docs/index.html

docs-links: venv ## ask the network whether each address that the handbook links to answers; not in the gate
	$(BIN)/python -m sphinx -q -n -b linkcheck -d build/doctrees-links -c docs . build/docs-links

test: lint unit ## check style and types, and run all tests but the image's and those of test-full

lint: venv ## check style, types and the Dockerfiles
	$(TOOLS)/bin/ruff check .
	$(TOOLS)/bin/ruff format --check .
	$(TOOLS)/bin/mypy --python-executable $(BIN)/python
	$(TOOLS)/bin/hadolint Dockerfile Dockerfile.gpu examples/author-image/Dockerfile.*

unit: venv ## run the tests, without the image's and those of test-full
	# Threads of OpenMP wait by spinning: where they outnumber processors, a small training in PyTorch takes up
	# to four times its processor time. Bits are equal.
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not full" --durations=20

test-full: venv ## run what `make unit` leaves out of large tables, before a release
	$(BIN)/python -m pytest -n auto --dist loadfile -m full

image: wheels dist ## build conference/repro-base
	$(PYTHON) -m tests.image.engine build

image-release: wheels dist ## build the image that is published: the same bytes each time
	$(PYTHON) -m tests.image.release build/image/repro-base.oci.tar --load=$(RELEASE)

image-check: wheels$(if $(IMAGE),-$(IMAGE)) $(TOOLS)/.locked ## build it twice, as differently as can be, and compare the bytes; IMAGE=gpu: the one with CUDA
	$(PYTHON) -m tests.image.check $(IMAGE)

test-child: venv ## run the tests that an image built on it inherits, in IMAGE=name
	$(BIN)/python -m pytest tests/image/test_inherited.py -k itself --image=$(IMAGE)

test-image: venv wheels dist ## build the image and run its tests in it; IMAGE=name: in that one
	$(BIN)/python -m pytest tests/image $(if $(IMAGE),--image=$(IMAGE))

test-portable: venv ## train a small model per framework on other processors, emulated, and compare bits
	$(BIN)/python -m pytest tests/portable -p no:cacheprovider

portable-table: venv ## print the table framework x level x machine of docs/determinism.md; TABLE="--levels strict"
	@$(BIN)/python -m tests.portable.table $(TABLE)

test-services: venv ## run the tests against PostgreSQL and Slurm; as root it is installed
	$(BIN)/python -m pytest tests/services

test-browser: venv ## click through the leaderboard in Chromium; as root it is installed
	$(BIN)/python -m pytest tests/browser

test-power: venv ## evaluate a round on a disk whose power fails, as root: loop devices, ext4
	$(BIN)/python -m pytest tests/power -p no:cacheprovider

image-gpu: wheels-gpu dist ## build conference/repro-base:gpu, with CUDA (takes 20 GB of disk)
	$(PYTHON) -m tests.image.engine build-gpu

test-image-gpu: venv wheels-gpu dist ## the image's tests for the one with CUDA; no GPU needed
	$(BIN)/python -m pytest tests/image --recipe=gpu

# In the image itself, which has pytest; the tests need nothing else.
test-gpu: ## the checks that need a GPU, in conference/repro-base:gpu
	$(DOCKER) run --rm --gpus all --network=none --ipc=host --volume "$(CURDIR):/seedlock:ro" --workdir /seedlock \
	    --env PYTHONDONTWRITEBYTECODE=1 conference/repro-base:gpu \
	    python -m pytest -p no:cacheprovider tests/image/gpu

reference: venv ## train the reference models under all seeds, and store what they come to under the locks
	$(BIN)/seedlock reference measure
	@test -e version-lock/reference/cpu/what-changed.md || $(BIN)/seedlock reference page

reference-check: venv ## train the reference models anew, and hold them against what is stored
	$(BIN)/seedlock reference check

bench: venv ## measure start-up, imports and training loops, as ratios
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/mxnet_compat.py
	$(BIN)/python benchmarks/seeding.py
	$(BIN)/python benchmarks/imports.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/levels.py
	$(BIN)/python benchmarks/digest.py
	$(BIN)/python benchmarks/trace.py
	$(BIN)/python benchmarks/ledger.py --folder build
	$(BIN)/python benchmarks/board.py --folder build

lock: $(TOOLS)/.locked ## resolve requirements.in anew, train the reference models, tell what changed; ACCEPT=why
	UV="$${UV:-$(CURDIR)/$(TOOLS)/bin/uv}" sh version-lock/renew.sh

clean: ## remove all that was made
	rm -rf build

wheels: build/wheels/.complete ## download the locked wheels

build/wheels/.complete: version-lock/cpu.lock
	@$(IS_3_11)
	mkdir -p build/wheels
	sed -n '/^torch==/,/[^\\]$$/p' version-lock/cpu.lock > build/torch.lock
	$(PIP) download -q $(LOCKED) -d build/wheels -r build/torch.lock || \
	    $(PIP) download $(LOCKED) -d build/wheels -r build/torch.lock --index-url $(TORCH_INDEX)
	$(PIP) download -q $(LOCKED) -d build/wheels -r version-lock/cpu.lock --find-links build/wheels
	touch $@

wheels-gpu: build/wheels-gpu/.complete

build/wheels-gpu/.complete: version-lock/gpu.lock
	@$(IS_3_11)
	mkdir -p build/wheels-gpu
	$(PIP) download -q --no-cache-dir $(LOCKED) -d build/wheels-gpu -r version-lock/gpu.lock
	touch $@

build/wheels-dev/.complete: version-lock/dev.lock
	mkdir -p $(@D)
	$(PIP) download -q $(LOCKED) -d $(@D) -r $<
	touch $@

build/wheels-programs/.complete: version-lock/programs.lock
	mkdir -p $(@D)
	$(PIP) download -q $(LOCKED) -d $(@D) -r $<
	touch $@

build/wheels-crate/.complete: version-lock/crate.lock
	mkdir -p $(@D)
	$(PIP) download -q $(LOCKED) -d $(@D) -r $<
	touch $@

build/venv/.locked: build/wheels/.complete build/wheels-dev/.complete build/wheels-programs/.complete $(TOOLS)/.locked version-lock/constraints.txt version-lock/mxnet_numpy_compat.py
	@sh version-lock/system-libraries.sh
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(UNPACK) --python $(BIN)/python --find-links build/wheels -r version-lock/cpu.lock
	$(UNPACK) --python $(BIN)/python --find-links build/wheels-dev -r version-lock/dev.lock
	$(UNPACK) --python $(BIN)/python --find-links build/wheels-programs -r version-lock/programs.lock
	cp version-lock/mxnet_numpy_compat.py $(SITE)/mxnet/_cy3/ndarray.py
	# Some packages carry templates and Python 2, which do not compile; pip would not mind either. Of
	# transformers one function is called, so that its models, 2500 files, can wait, and so can the
	# packages' own tests, 2200 others; NumPy imports a file of its core's.
	$(BIN)/python -m compileall -qq -j 0 -x '/transformers/models/|/site-packages/(?!numpy/_core/).*/tests/' $(SITE) || true
	cp version-lock/constraints.txt $(VENV)/repro-lock.txt
	touch $@

# The validator of RO-Crates has requirements of its own, and its own environment.
$(CRATE)/.locked: build/wheels-crate/.complete $(TOOLS)/.locked
	rm -rf $(CRATE)
	$(PYTHON) -m venv --without-pip $(CRATE)
	$(UNPACK) --python $(CRATE)/bin/python --find-links build/wheels-crate -r version-lock/crate.lock
	touch $@

dist: build/dist/.complete ## build seedlock's wheel

$(TOOLS)/.locked: build/wheels-dev/.complete
	rm -rf $(TOOLS)
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install -q --disable-pip-version-check --no-index --find-links build/wheels-dev uv
	$(UNPACK) --python $(TOOLS)/bin/python --find-links build/wheels-dev -r version-lock/dev.lock
	touch $@

build/dist/.complete: $(TOOLS)/.locked $(PACKAGE)
	rm -rf build/dist
	SOURCE_DATE_EPOCH=$(EPOCH) $(TOOLS)/bin/pip wheel -q --disable-pip-version-check --no-deps \
	    --no-build-isolation --no-cache-dir -w build/dist .
	touch $@

venv: build/venv/.installed $(CRATE)/.locked

build/venv/.installed: build/venv/.locked build/dist/.complete
	$(BIN)/pip install -q --disable-pip-version-check --no-index --no-deps --force-reinstall build/dist/seedlock-*.whl
	touch $@
