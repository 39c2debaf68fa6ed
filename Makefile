# SmartOS, executable. `make` alone prints the targets.
PYTHON ?= python3
PORT   ?= 8000
BUILD  ?= _build
PY     := .venv/bin/python
RUN    := $(PY) -m tools

.DEFAULT_GOAL := help
.PHONY: help setup assets book zip serve lab test campaign bench lock clean

help:  ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## create .venv and install the pinned requirements
	@$(PYTHON) tools/bootstrap.py

assets: setup  ## fetch the pinned front-end packages and bundle fonts, icons and scripts
	@$(RUN).assets --build $(BUILD)

book: assets  ## execute the notebooks and build the static book into _build/html
	@$(RUN).build --build $(BUILD)

zip: book  ## the built book as one file that opens without a server
	@$(RUN).zip --build $(BUILD)

serve:  ## serve the built book on 127.0.0.1 (PORT=8000)
	@$(PYTHON) tools/serve.py --port $(PORT) $(BUILD)/html

lab: setup  ## open the notebooks in JupyterLab on 127.0.0.1
	@$(RUN).lab

test: assets  ## install what the tests need and run all of them
	@$(RUN).test

campaign: setup  ## crash ZFS pools, fault their disks, and run D programs by chance, for some minutes
	@$(RUN).campaign

bench: assets  ## measure the book against a plain Jupyter Book, the ZFS model against zdb, D against callbacks
	@$(RUN).bench

lock:  ## resolve requirements.lock anew
	@$(RUN).lock

clean:  ## remove everything that was built (.venv and node_modules stay)
	rm -rf _build .pytest_cache
