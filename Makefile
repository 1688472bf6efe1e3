# What a newcomer needs: make run, make test. Each installs what is missing, says what
# it does, does nothing twice, and can be stopped and started again at any point.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# scripts/go.sh and node.sh put their own here where the distribution's are too old.
export PATH := $(CURDIR)/bin/_go/bin:$(CURDIR)/bin/_node/node_modules/node/bin:$(PATH)
# The version in go.mod decides; an older Go fetches it as a module.
export GOTOOLCHAIN := auto
export GOFLAGS := -buildvcs=false

# Flags of `sysnerd serve`, as in: make run ARGS="--listen 127.0.0.1:9000"
ARGS ?=
# What runs the sandboxes: docker, which is then installed if need be, or local. Empty
# leaves it to the configuration: Docker where it answers, else local.
ENGINE ?=
engine := $(if $(ENGINE),SYSNERD_ENGINE=$(ENGINE))

GUEST := images/embed/guest
UI := web/ui/dist/.built
UI_MODULES := web/ui/node_modules/.package-lock.json

guest_sources := go.mod go.sum $(shell find cmd/guest sandbox/guest sandbox/link sandbox/redraw sandbox/ptyring sandbox/pidlink -type f -name '*.go' ! -name '*_test.go')
ui_sources := web/ui/package.json $(shell find web/ui -type f ! -path '*/node_modules/*' ! -path 'web/ui/dist/*' ! -name '*.go')
server_sources := go.mod go.sum $(shell find cmd config sandbox labs images web -type f \
	! -path '*/node_modules/*' ! -path 'web/ui/*' ! -path 'web/browsertest/*' ! -path 'images/embed/*' ! -name '*_test.go') \
	$(shell find web/ui -maxdepth 1 -name '*.go')
helper_sources := $(shell find cmd/sysnerd-engine images/folders sandbox -type f ! -name '*_test.go')

.PHONY: help run test build guest ui runc engine image images bench gvisor fuzz lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: build image ## Install what is missing, build, and serve the course (ARGS="--listen …", ENGINE=docker)
	@$(engine) exec scripts/serve.sh $(ARGS)

test: build engine images ## Everything that must hold before a change goes in
	@scripts/test.sh

build: bin/sysnerd bin/sysnerd-engine bin/runc ## Build the server with UI and guest in it: bin/sysnerd

guest: $(GUEST) ## Build PID 1 of the sandboxes

ui: $(UI) ## Build the browser's side

runc: bin/runc ## Build what starts sandboxes where there is no daemon

engine: bin/sysnerd ## Install and start a Docker Engine where none answers
	@scripts/engine.sh

image: bin/sysnerd $(if $(filter docker,$(ENGINE)),engine) ## Build the sandbox image if it is not current
	@$(engine) scripts/image.sh

images: bin/sysnerd engine
	@SYSNERD_ENGINE=docker scripts/image.sh
	@SYSNERD_ENGINE=local scripts/image.sh
	@SYSNERD_ENGINE=local scripts/local.sh

bench: build engine images ## Measure against the targets
	@scripts/bench.sh

gvisor: build engine images ## Run the suite of engines under gVisor; builds runsc where there is none
	@scripts/gvisor.sh

fuzz: $(GUEST) $(UI) ## Fuzz each parser (SECONDS_EACH=60)
	@scripts/fuzz.sh $(or $(SECONDS_EACH),60)

lint: $(GUEST) $(UI) ## Formatting, vet, shellcheck, types
	@scripts/lint.sh

clean: ## Remove what was built; images, engine and data stay
	rm -rf bin $(GUEST) web/ui/node_modules web/browsertest/node_modules
	find web/ui/dist -mindepth 1 ! -name README -delete

bin/sysnerd: $(server_sources) $(GUEST) $(UI)
	@scripts/go.sh
	@echo "==> build the server"
	@mkdir -p bin
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $@ ./cmd/sysnerd

bin/sysnerd-engine: go.mod go.sum $(helper_sources)
	@scripts/go.sh
	@echo "==> build the helper that runs sandboxes"
	@mkdir -p bin
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $@ ./cmd/sysnerd-engine

bin/runc: go.mod go.sum
	@scripts/runc.sh
	@touch $@

$(GUEST): $(guest_sources)
	@scripts/go.sh
	@echo "==> build the guest"
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $@ ./cmd/guest

$(UI): $(UI_MODULES) $(ui_sources)
	@echo "==> build the UI"
	@cd web/ui && npm run --silent build
	@touch $@

$(UI_MODULES): web/ui/package-lock.json
	@scripts/node.sh
	@echo "==> fetch the UI's modules"
	@cd web/ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
