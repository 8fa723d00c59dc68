# `make` alone says what there is to make. Needs Debian (or a system like it), Swift 6.3 and git;
# `make prepare`, which the other goals begin with, installs what else is missing.

check := --explicit-target-dependency-import-check error
small := -Xlinker -s
# Swift's check that no two parts of the program change a value at once costs the proxy 3 % of its time; the debug
# build, which the tests use, has it.
fast := -Xswiftc -enforce-exclusivity=unchecked
sudo := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
say = @printf '\n== %s\n'

proxy := .build-static/release/duplex-proxy
programs := .build/release

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help prepare lint proxy build debug unit-test lab-test test demo bench release clean

help: ## say this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

prepare: ## install the Debian packages that are missing; none of their services is started
	@.ci/prepare

lint: ## check the form of the source
	$(say) 'Checking the form of the source'
	swift format lint --strict -r Sources Tests Benchmarks Package.swift

proxy: ## build the proxy that is carried to the hosts, as one static executable
	$(say) 'Building the static duplex-proxy (half a minute the first time)'
	swift build -c release --product duplex-proxy --scratch-path .build-static $(check) \
	  -Xswiftc -static-executable $(fast) $(small)

build: prepare proxy ## build everything that is shipped, optimised
	$(say) 'Building duplexctl and duplex-lab (some five minutes the first time)'
	swift build -c release --product duplexctl --static-swift-stdlib $(check) $(small)
	swift build -c release --product duplex-lab --static-swift-stdlib $(check) $(small)

debug: ## build everything for the tests
	$(say) 'Building everything for the tests (some four minutes the first time)'
	swift build --build-tests $(check)

unit-test: debug ## run the tests that need no lab
	$(say) 'Running the unit tests'
	swift test --skip-build $(check) --no-parallel --skip '^(ProxyServer|(Rollout)?Lab)Tests\.'
	@# In a process of their own: they count descriptors, and start programs that inherit them.
	DUPLEX_TEST_ENGINE=epoll swift test --skip-build $(check) --no-parallel --filter '^ProxyServerTests\.'
	DUPLEX_TEST_ENGINE=io_uring swift test --skip-build $(check) --no-parallel --filter '^ProxyServerTests\.'

lab-test: debug proxy ## run the tests that need a lab, one after another; needs root
	$(say) 'Running the tests of the lab'
	swift test --skip-build $(check) --no-parallel --filter '^LabTests\.'
	$(say) 'Running the tests of rollouts in the lab'
	swift test --skip-build $(check) --no-parallel --filter '^RolloutLabTests\.'

test: prepare lint proxy debug unit-test lab-test ## everything that must pass

demo: build ## put a practice fleet up, switch it under load, and take it down; needs root
	$(say) 'The demo'
	$(sudo) $(programs)/duplex-lab demo

bench: prepare proxy ## measure the proxy against haproxy and nginx; BENCH='--quick' for a first look
	$(say) 'Building duplex-bench (a minute the first time)'
	swift build -c release --product duplex-bench --scratch-path .build-bench $(check)
	$(say) 'Measuring (about a quarter of an hour; the machine should have nothing else to do)'
	.build-bench/release/duplex-bench $(BENCH)

release: build ## pack what an operator needs into release/
	$(say) 'Packing'
	@set -eu; version=$$($(programs)/duplexctl --version); \
	[ -n "$$version" ] || { echo 'duplexctl does not say its version' >&2; exit 1; }; \
	name=duplexctl-$$version-linux-$$(uname -m); folder=release/$$name; \
	rm -rf "$$folder"; mkdir -p "$$folder/inventories"; \
	cp $(programs)/duplexctl $(proxy) README.md "$$folder"; \
	cp -R templates "$$folder"; cp inventories/example.yml "$$folder/inventories"; \
	tar -C release --sort=name --owner=0 --group=0 --numeric-owner -czf "$$folder.tar.gz" "$$name"; \
	cd release; sha256sum "$$name.tar.gz" | tee "$$name.tar.gz.sha256"

clean: ## remove all that was built
	rm -rf .build .build-static .build-bench release
