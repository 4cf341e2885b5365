# The commands of every day, in one place. `make help` lists them. The build itself is CMake's:
# see CMakePresets.json for the kinds of build and cmake/ for how they are made.

SHELL = /bin/bash
.SHELLFLAGS = -o pipefail -c

PREFIX ?= /usr/local
# As many compilers at once as there are processors, but one gigabyte of memory for each.
JOBS ?= $(shell awk '/^MemAvailable/ {m = int($$2 / 1000000)} /^processor/ {n++} \
          END {print m < 1 ? 1 : m < n ? m : n}' /proc/meminfo /proc/cpuinfo 2> /dev/null || echo 2)
CONFIGURE = cmake --log-level=WARNING --preset

# A warning stops the tests in CI; elsewhere the compiler may be newer than we are, and warn of more.
WERROR ?= $(if $(filter true,$(CI)),ON,OFF)

.DEFAULT_GOAL := help
.PHONY: help run build test chaos check bench install package clean

help:     ## What can be made
	@sed -n 's/^\([a-z]*:\) *\(## .*\)/\1\2/p' Makefile | awk -F ':## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run:      ## Build Tram and start it: make run ARGS="--nats-port 4333"
run: build
	@exec build/release/tram serve $(ARGS)

build:    ## Build build/release/tram, and nothing else
	@tools/setup build
	@$(CONFIGURE) release > /dev/null
	@cmake --build build/release --target tram -j $(JOBS)

test:     ## Build and run every test
	@tools/setup test
	@$(CONFIGURE) dev -DTRAM_WERROR=$(WERROR) > /dev/null
	@cmake --build build/dev -j $(JOBS)
	@ctest --preset dev -j $(JOBS) --timeout 300 --no-tests=error || failed=1; tests/run || failed=1; exit $${failed:-0}

# Names of the environment that peer_chaos_test.cc reads; see docs/testing.md.
SEEDS ?= 4
SEED ?= $(shell date +%s)
MESSAGES ?= 1000000
chaos:    ## Peers' connections cut at random under millions of messages: make chaos SEEDS=4 MESSAGES=1000000
	@tools/setup test
	@$(CONFIGURE) dev > /dev/null
	@cmake --build build/dev --target net_test -j $(JOBS)
	@echo "The kept seeds, and $(SEEDS) from $(SEED), $(MESSAGES) messages each:"
	@TRAM_SEEDS=$(SEEDS) TRAM_SEED=$(SEED) TRAM_PEER_MESSAGES=$(MESSAGES) build/dev/layers/net/net_test -sf="*peer_chaos*" || \
	  { echo "The seed is in the line 'TRAM_SEED=' above: keep it, with its fix, in tram/net/peer/peer_chaos_seeds.txt" >&2; exit 1; }

check:    ## Everything that CI runs, cheapest first
	@tools/check

bench:    ## Every benchmark, then Tram beside its rivals: make bench COMPARE="--rounds 3"
	@tools/setup bench
	@$(CONFIGURE) bench > /dev/null
	@cmake --build build/release -j $(JOBS)
	@while read -r bench; do echo "== $${bench##*/}"; "$$bench" $(ARGS) || exit 1; done < build/release/benches.txt
	@bench/run $(COMPARE)

install:  ## Install what was built, as root or elsewhere: make install PREFIX=~/.local
	@test -f build/release/tram || { echo "make install: nothing is built yet: run make build first" >&2; exit 1; }
	@cmake --install build/release --prefix "$(PREFIX)" --component tram --strip
	@cmake --install build/release --prefix "$(PREFIX)" --component library

package:  ## Build a Debian package in build/release
	@tools/setup package
	@$(MAKE) --no-print-directory build
	@cd build/release && cpack --config CPackConfig.cmake | sed -n 's/^CPack: - package: \(.*\) generated\.$$/\1/p'

clean:    ## Remove everything that was built
	@rm -rf build
