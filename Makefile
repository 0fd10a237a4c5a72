# Each target installs what it needs (Debian 12, as root or with sudo) and then does its work.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(HOME)/.cargo/bin:$(PATH):/usr/sbin:/sbin
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help demo build test differential bench bench-replay bench-live format lint fuzz miri setup-%

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: setup-demo ## two pods and a service behind them: one request as a tree, its edges, the metrics (root)
	@cargo build --release --quiet --bin wirespan
	@tests/testbed/demo $(TARGET)/release/wirespan

build: setup-build ## the release binary, target/release/wirespan
	cargo build --release --bin wirespan

test: setup-test ## every test; those that need root say so when they are skipped
	scripts/test

# Other traffic with SEED=n, more or less of it with ROUNDS=n: each round is some 300,000 packets.
differential: setup-test ## made-up traffic, millions of packets of it, through tshark and wirespan: every counter must agree
	DIFFERENTIAL_SEED=$(or $(SEED),1) DIFFERENTIAL_ROUNDS=$(or $(ROUNDS),20) cargo test --test differential -- --nocapture

bench: setup-bench ## ns per packet of decoding, reassembly and a whole replay, a million open flows, then bench-replay
	cargo bench --workspace
	@$(MAKE) --no-print-directory bench-replay

bench-replay: setup-bench ## large captures, recorded the first time (root), with wirespan, argus, tcptrace and tshark
	cargo build --release --bin wirespan
	scripts/bench-captures $(TARGET)/bench-captures
	scripts/bench-replay --wirespan $(TARGET)/release/wirespan $(TARGET)/bench-captures/*.pcap

bench-live: setup-bench ## wrk against nginx in pods, with and without wirespan, both backends (root)
	cargo build --release --bin wirespan
	scripts/bench-live $(TARGET)/release/wirespan

format: ## every Rust file as rustfmt has it (cargo fmt alone passes over the protocols)
	scripts/format

lint: setup-lint ## formatting, clippy, rustdoc, shellcheck, dependencies
	scripts/lint

fuzz: setup-build ## each fuzz target for a minute (needs cargo-fuzz)
	scripts/fuzz

miri: setup-build ## the memory of packet rings under Miri (needs a nightly toolchain)
	rustup component add --toolchain nightly miri rust-src
	CARGO_TARGET_DIR=$(TARGET)/miri cargo +nightly miri test -p capture --lib sys::

setup-%:
	@scripts/setup $*
