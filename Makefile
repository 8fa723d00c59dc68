# `make` alone says what there is to make. Needs Debian (or a system like it), Swift 6.3 and git;
# `make prepare`, which the other goals begin with, installs what else is missing.

check := --explicit-target-dependency-import-check error
small := -Xlinker -s
# Swift's check that no two parts of the program change a value at once costs the proxy 3 % of its time; the debug
# build, which the tests use, has it.
fast := -Xswiftc -enforce-exclusivity=unchecked
sudo := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
say = @printf '\n== %s\n'

fuzz_targets := relay header flags
# Seconds for all of them together.
FUZZ_SECONDS ?= 600
# A package of the proxy alone, so that the versions chosen for the whole one stay as they are.
proxy_only := DUPLEX_PROXY_ONLY=1 swift
proxy_package := --package-path .build-proxy/package $(check)

proxy := .build-static/release/duplex-proxy
programs := .build/release

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help prepare lint proxy build debug unit-test lab-test test demo bench soak release clean
.PHONY: proxy-package sanitize fuzzer fuzz corpus

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

proxy-package:
	@mkdir -p .build-proxy/package
	@ln -sfn ../../Sources ../../Tests ../../Package.swift .build-proxy/package/

# gold cannot link what is sanitized, and XCTest, which has no tests here, leaks. AddressSanitizer keeps freed memory for a
# while: here no more than the tests that watch memory allow for.
sanitize: proxy-package ## run the proxy's tests with AddressSanitizer and with ThreadSanitizer, on both engines
	@set -e; for kind in address thread; do \
	  printf '\n== The proxy with %s sanitizer\n' $$kind; \
	  build="$(proxy_package) --scratch-path .build-sanitize-$$kind --sanitize $$kind -Xswiftc -use-ld=lld"; \
	  $(proxy_only) build --build-tests $$build; \
	  for engine in epoll io_uring; do \
	    ASAN_OPTIONS=quarantine_size_mb=8 TSAN_OPTIONS=suppressions=$(CURDIR)/.ci/thread-sanitizer \
	      DUPLEX_TEST_ENGINE=$$engine $(proxy_only) test --skip-build --no-parallel --disable-xctest $$build; \
	  done; \
	done

fuzzer: proxy-package
	$(say) 'Building the fuzzer (some three minutes the first time)'
	DUPLEX_FUZZ=build $(proxy_only) build -c release --product duplex-fuzz --scratch-path .build-fuzz \
	  $(proxy_package) -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld

# Without Swift's own backtrace, which does not come to an end under libFuzzer.
fuzz: fuzzer ## look for bytes that break a promise, for FUZZ_SECONDS=600 in all; what breaks one is in .build-fuzz
	@set -e; for target in $(fuzz_targets); do \
	  printf '\n== Fuzzing: %s\n' $$target; mkdir -p .build-fuzz/corpus/$$target; \
	  SWIFT_BACKTRACE=enable=no DUPLEX_FUZZ=$$target .build-fuzz/release/duplex-fuzz -max_len=512 \
	    -max_total_time=$$(($(FUZZ_SECONDS) / $(words $(fuzz_targets)))) -print_final_stats=1 \
	    -artifact_prefix=.build-fuzz/$$target- .build-fuzz/corpus/$$target Tests/Corpus/$$target; \
	done

corpus: fuzzer ## keep what the fuzzer found that reaches more than Tests/Corpus does
	@set -e; for target in $(fuzz_targets); do \
	  SWIFT_BACKTRACE=enable=no DUPLEX_FUZZ=$$target .build-fuzz/release/duplex-fuzz -set_cover_merge=1 -use_counters=0 \
	    Tests/Corpus/$$target .build-fuzz/corpus/$$target; \
	done

demo: build ## put a practice fleet up, switch it under load, and take it down; needs root
	$(say) 'The demo'
	$(sudo) $(programs)/duplex-lab demo

bench: prepare proxy ## measure the proxy against haproxy and nginx; BENCH='--quick' for a first look
	$(say) 'Building duplex-bench (a minute the first time)'
	swift build -c release --product duplex-bench --scratch-path .build-bench $(check)
	$(say) 'Measuring (about a quarter of an hour; the machine should have nothing else to do)'
	.build-bench/release/duplex-bench $(BENCH)

soak: prepare proxy ## put load on the proxy while its shadow is bad, for five minutes each; SOAK="--seconds 20" for a first look
	$(say) 'Building duplex-bench (a minute the first time)'
	swift build -c release --product duplex-bench --scratch-path .build-bench $(check)
	$(say) 'Soaking (an hour and more; the machine should have nothing else to do)'
	.build-bench/release/duplex-bench soak $(SOAK)

release: build ## pack what an operator needs into release/
	$(say) 'Packing'
	@set -eu; version=$$($(programs)/duplexctl --version); \
	[ -n "$$version" ] || { echo 'duplexctl does not say its version' >&2; exit 1; }; \
	name=duplexctl-$$version-linux-$$(uname -m); folder=release/$$name; \
	rm -rf "$$folder"; mkdir -p "$$folder/inventories"; \
	cp $(programs)/duplexctl $(proxy) README.md "$$folder"; \
	cp -R templates docs "$$folder"; cp inventories/example.yml "$$folder/inventories"; \
	mkdir "$$folder/Benchmarks"; cp -R Benchmarks/README.md Benchmarks/results "$$folder/Benchmarks"; \
	tar -C release --sort=name --owner=0 --group=0 --numeric-owner -czf "$$folder.tar.gz" "$$name"; \
	cd release; sha256sum "$$name.tar.gz" | tee "$$name.tar.gz.sha256"

clean: ## remove all that was built
	rm -rf .build .build-* release
