# Two commands do everything: `make run` and `make test`. The rest is for people who work on Sandpool.
SWIFT ?= swift
BUILD_FLAGS ?=
RELEASE_FLAGS := -c release --static-swift-stdlib $(BUILD_FLAGS)
RELEASE_DIR := .build/release
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/.*static let current = "\(.*\)".*/\1/p' Sources/SandpoolModel/Values/Version.swift)

.PHONY: help run test test-vm faults leak-test simulate fuzz probe-table build release dist install bench format \
    lint clean dependencies

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

dependencies: ## install the Debian packages that build and tests need (asks first on a terminal; YES=1 does not)
	@scripts/install-dependencies

run: dependencies release ## build, then run a real job in a sandbox on the embedded pool
	@scripts/run-example $(RELEASE_DIR)/sandpool

build: ## debug build of everything
	$(SWIFT) build $(BUILD_FLAGS)

release: ## optimised build with the Swift runtime linked in
	$(SWIFT) build $(RELEASE_FLAGS) --product sandpool-launcher
	$(SWIFT) build $(RELEASE_FLAGS) --product sandpool-probe
	$(SWIFT) build $(RELEASE_FLAGS) --product sandpool

test: ## build and run every test suite, each within its time budget
	@EXTRA_PACKAGES="$$(scripts/vm/packages 2>/dev/null)" scripts/install-dependencies
	@scripts/test

test-vm: release ## the last of these suites, with an optimised build: checks on a stock Debian 12 in a virtual machine
	@scripts/vm/run $(RELEASE_DIR)

probe-table: build ## attack sandboxes of this build, of bwrap and of runc, and write the table of Docs/security.md (as root)
	@scripts/probe-table .build/debug

FUZZ_RUNS ?= 1000000

fuzz: ## a million inputs to every decoder, guided by coverage, and what they covered (FUZZ_RUNS=N for another number)
	@scripts/fuzz $(FUZZ_RUNS)

SIMULATE_WORLDS ?= 100000

simulate: ## a hundred thousand worlds full of faults, then every broken variant (SIMULATE_WORLDS=N for another number)
	@scripts/simulate $(SIMULATE_WORLDS)

faults: release ## a thousand kills, full and failing disks, cut networks, with real processes (as root; FAULTS=campaign for a part)
	@$$([ "$$(id -u)" = 0 ] || echo sudo -E env "PATH=$$PATH") python3 -B scripts/faults --build $(RELEASE_DIR) $(FAULTS)

leak-test: build ## ten thousand sandboxes of every kind of end leave nothing behind on the host (make test runs 600)
	$(SWIFT) build --build-tests $(BUILD_FLAGS)
	$$([ "$$(id -u)" = 0 ] || echo sudo -E env "PATH=$$PATH") env SANDPOOL_LEAK_COUNT=10000 \
		$(SWIFT) test --skip-build --disable-xctest --filter '^LauncherTests[./]LeakTests'

dist: release ## a tarball that runs on a host without a toolchain
	@scripts/make-dist $(RELEASE_DIR) $(VERSION)

install: release ## install into PREFIX (default /usr/local)
	@scripts/install-tree $(RELEASE_DIR) $(DESTDIR)$(PREFIX)

bench: dependencies release ## measure beside the kernel floor, bwrap, runc and docker, as ratios of one run
	@scripts/bench $(RELEASE_DIR)

format: ## format the sources in place
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## report what `make format` would change
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Package.swift

clean: ## remove what was built
	rm -rf .build dist
