# Two commands on a fresh Debian machine with Swift: `make demo` and `make test`. Each installs what it needs.
SWIFT_BUILD = swift build -c release -Xswiftc -enable-testing

.DEFAULT_GOAL := help
.PHONY: help demo test build install unit clients kubernetes attack geo joins world bench fuzz sanitize format

help:
	@echo "make demo          origin and two edges from topology.yaml with a live test picture; prints the URLs"
	@echo "make test          every test: unit, simulation, real browsers and encoders"
	@echo "make unit          only the Swift tests (ARGS='--filter Name' selects)"
	@echo "make clients       only the real clients (ARGS='-k name' selects)"
	@echo "make kubernetes    the chart and the sidecar, with the real helm and kubectl (ARGS='-k name' selects)"
	@echo "make attack        attacks on running nodes in network namespaces, with figures (ARGS='-k name' selects)"
	@echo "make bench         fan-out against the C floor, in one run"
	@echo "make geo           the near edge against the far origin on lossy links, in Chromium (ARGS='--seconds 20')"
	@echo "make joins         how soon the first picture comes, in Chromium and Firefox (ARGS='--joins 5')"
	@echo "make world         three regions: geo-DNS, the death of an edge, and a region that grows, in network namespaces"
	@echo "make fuzz          libFuzzer for SECONDS=… in all or RUNS=… of each (ARGS='unit rtp' selects targets)"
	@echo "make sanitize      unit tests and simulation under the address and thread sanitizers"
	@echo "make install       programs without symbols to PREFIX=/usr/local (DESTDIR=… in front), symbols beside"
	@echo "make format        swift format in place"

build:
	@deploy/development/setup.sh build
	@deploy/development/step.sh "Building (release; the first time takes some minutes)" $(SWIFT_BUILD) $(BUILD_ARGS)

install: build
	@deploy/development/install.sh "$$(swift build -c release --show-bin-path)"

demo: build
	@deploy/development/setup.sh demo
	@deploy/development/demo.sh

test:
	@deploy/development/setup.sh test
	@$(MAKE) --no-print-directory build BUILD_ARGS=--build-tests
	@deploy/development/tests.sh

unit:
	@$(MAKE) --no-print-directory build BUILD_ARGS=--build-tests
	@SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 swift test -c release -Xswiftc -enable-testing --skip-build $(ARGS)

clients: build
	@deploy/development/setup.sh test
	@.venv/bin/python -m pytest -q Tests/Clients $(ARGS)

kubernetes: build
	@deploy/development/setup.sh test
	@.venv/bin/python -m pytest -q Tests/Kubernetes $(ARGS)

attack: build
	@deploy/development/setup.sh test
	@.venv/bin/python -m pytest -v -rsP --tb=short Tests/Attack $(ARGS)

geo joins world: build
	@deploy/development/setup.sh test
	@PYTHONPATH=Tests/Clients .venv/bin/python Tests/Quality/$@.py $(ARGS)

bench:
	@deploy/development/setup.sh build
	@deploy/development/step.sh "Building the benchmark" $(SWIFT_BUILD) --product fanout-bench
	@$$(swift build -c release --show-bin-path)/fanout-bench

fuzz:
	@deploy/development/setup.sh build
	@RUNS=$(RUNS) deploy/development/fuzz.sh $(or $(SECONDS),600) $(ARGS)

sanitize:
	@deploy/development/setup.sh test
	@deploy/development/sanitize.sh $(ARGS)

format:
	@swift format -i -r Sources Tests Package.swift
