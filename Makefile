# SPDX-License-Identifier: Apache-2.0
# Each developer habit is one word; `make help` lists them. All output goes
# below build/, nothing else is written.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build test test-store unit http e2e house asan asan-chaos valgrind chaos chaos-short fuzz replay lint compdb tidy format demo pay clean \
	simulate simulate-short simulate-planted \
	paywall-shot bench bench-micro bench-check bench-scale bench-docs \
	need-build need-test need-chaos need-e2e need-bench need-lint ask

NGINX ?= /usr/sbin/nginx
# A binary that is named gets a module that fits it.
BUILD_FOR := $(if $(filter file,$(origin NGINX)),,$(NGINX))
NGINX_SRC ?=
JOBS ?= $(shell nproc)
# Tests of t/http wait more than they compute.
HTTP_JOBS = $(shell expr 3 '*' $(JOBS))
FUZZ_TIME ?= 60
BENCH_TIME ?= 3

MODULE := build/ngx_http_x402_module.so

help: ## list these words
	@grep -hE '^[a-z0-9-]+:.*##' Makefile packaging/package.mk | sed 's/:[^#]*## /\t/' \
		| expand -t 12

# --- what the machine lacks --------------------------------------------------

BUILD_PACKAGES := nginx nginx-dev g++ make pkg-config libsimdjson-dev libjansson-dev \
	libsecp256k1-dev libcurl4-openssl-dev libssl-dev
# Filters of others, which t/http/filter_modules.t loads beside the module.
FILTER_PACKAGES := $(patsubst %,libnginx-mod-http-%,brotli-filter echo headers-more-filter image-filter js lua \
	modsecurity perl srcache-filter subs-filter uploadprogress xslt-filter)
TEST_PACKAGES := $(BUILD_PACKAGES) libgtest-dev perl openssl procps curl logrotate prometheus tinyproxy microsocks \
	redis-server python3-yaml \
	$(FILTER_PACKAGES)

need-build:
	@t/lib/need $(if $(NGINX_SRC),$(filter-out nginx nginx-dev,$(BUILD_PACKAGES)) libpcre2-dev zlib1g-dev,$(BUILD_PACKAGES))

need-test:
	@t/lib/need $(TEST_PACKAGES)

need-chaos: need-test
	@t/lib/need python3

need-e2e:
	@t/lib/need-chain
	@t/lib/need-node
	@$(MAKE) --no-print-directory t/e2e/node_modules/.package-lock.json

# The chain is a package for one kind of machine; elsewhere ANVIL= names one.
NPM_FORCE = $(if $(filter x86_64,$(shell uname -m)),,--force)

t/e2e/node_modules/.package-lock.json: t/e2e/package-lock.json \
		t/e2e/package.json t/e2e/.npmrc
	@echo "installing what the end-to-end tests use (npm ci)"
	@cd t/e2e && npm ci --silent $(NPM_FORCE) || npm ci $(NPM_FORCE)
	@touch $@

# --- the module --------------------------------------------------------------

build: need-build ## build/ngx_http_x402_module.so for the installed nginx, NGINX=binary or NGINX_SRC=dir; X402_CURL=no without libcurl, X402_SECP256K1=no without that; and build/x402-journal
	@$(MAKE) --no-print-directory $(MODULE) $(TOOL)

# Asked every time: nginx's own Makefile knows what is out of date, and another
# NGINX_SRC, compiler or list of files configures again.
$(MODULE): ask
	@NGINX="$(BUILD_FOR)" NGINX_SRC="$(NGINX_SRC)" t/lib/build-module build/module
	@cmp -s build/module/ngx_http_x402_module.so $@ \
		|| { cp build/module/ngx_http_x402_module.so $@.new && mv $@.new $@ && echo "built $@"; }

ask:

# x402-journal: a program of the pure rooms.
TOOL := build/x402-journal
TOOL_SRC := tools/x402_journal.cpp src/session/claim_journal.cpp src/session/claim_census.cpp src/policy/asset_table.cpp \
	src/policy/network_table.cpp src/policy/evm_address.cpp $(addprefix src/base/,sha256_digest.cpp hex_codec.cpp json_text.cpp utf8_text.cpp \
	decimal_amount.cpp utc_time.cpp address_codec.cpp keccak256_digest.cpp near_name.cpp)

$(TOOL): $(TOOL_SRC:%.cpp=build/tool/%.o)
	@$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto
	@echo "built $@"

build/tool/%.o: %.cpp
	@mkdir -p $(@D)
	@$(CXX) -O2 -g $(CPPFLAGS) $(CXXFLAGS) -std=c++17 -W -Wall -Wextra -Wshadow -Werror -iquote src -MMD -MP -c -o $@ $<

-include $(TOOL_SRC:%.cpp=build/tool/%.d)

# The scripts of the store as constants; config.make does the same for nginx.
STORE_LUA := $(sort $(wildcard src/store/lua/*.lua))

build/made/store_lua.cpp: src/store/lua/embed $(STORE_LUA)
	@mkdir -p $(@D)
	@src/store/lua/embed $(STORE_LUA) > $@

# --- tests -------------------------------------------------------------------

PURE := base protocol policy facilitator session store
# One of the two JSON readers, as in a module; the tests compare it with the other.
PURE_SRC := $(filter-out %/json_reader_jansson.cpp %/evm_signer_absent.cpp,$(foreach room,$(PURE),$(wildcard src/$(room)/*.cpp))) \
	build/made/store_lua.cpp
PURE_LIBS := -lsimdjson -ljansson -lsecp256k1 -lcrypto

test: need-chaos need-e2e ## everything: lint with the house rules, unit, fuzz seeds, simulator, http, chaos and e2e; and how long each took
	@TIMEFORMAT='%0R s, of a processor %0U s'; for step in $(MODULE) lint unit replay simulate-short http chaos-short e2e; do \
		echo "== $$step"; time $(MAKE) --no-print-directory $$step || exit 1; done

unit: need-test ## GoogleTest units of the pure rooms, with ASan and UBSan
	@$(MAKE) --no-print-directory -j$(JOBS) build/unit/run
	build/unit/run --gtest_brief=1

# Tests that say "Runs with both transports." run a second time, with curl instead of
# the http client for all facilitators. It is the module relinked with one
# file compiled otherwise: a switch that users could find would have to be kept.
BOTH_TRANSPORTS = $(shell grep -l '^\# Runs with both transports\.$$' t/http/*.t)

# The longest begin first: they would be waited for at the end.
HTTP_TESTS = $(LONGEST:%=t/http/%.t) $(filter-out $(LONGEST:%=t/http/%.t),$(wildcard t/http/*.t))
LONGEST := config_errors store_stall hold_big store_sentinel store_failover config_warnings held_places

http: need-test ## t/http: a real nginx, a scripted facilitator
	@$(MAKE) --no-print-directory $(MODULE) $(TOOL)
	@$(MAKE) --no-print-directory build/chaos/fault_shim.so
	@t/lib/build-curl-module build/module build/curl
	X402_MODULE=$(CURDIR)/$(MODULE) prove -j$(HTTP_JOBS) -It/lib $(HTTP_TESTS) t/package/build.t
	X402_MODULE=$(CURDIR)/build/curl/ngx_http_x402_module.so prove -j$(HTTP_JOBS) -It/lib $(BOTH_TRANSPORTS)

# The tests of the store with another one than the redis-server of make test.
STORE ?= valkey

test-store: need-test ## the tests of x402_store with STORE=valkey (a valkey-server), STORE=sentinel (a sentinel tells where it is) or STORE=cluster
	@$(if $(filter valkey sentinel cluster,$(STORE)),,echo "STORE=$(STORE) is not known; write valkey, sentinel or cluster" && false)
	@$(MAKE) --no-print-directory $(MODULE)
	@more=$$($(if $(filter valkey,$(STORE)),t/lib/need-valkey)) && PATH=$${more:+$$more:}$$PATH && export PATH && \
		X402_STORE=$(STORE) X402_MODULE=$(CURDIR)/$(MODULE) prove -j$(HTTP_JOBS) -It/lib t/http/store_*.t

e2e: need-test need-e2e ## t/e2e: real chain, facilitator and client
	@$(MAKE) --no-print-directory $(MODULE)
	X402_MODULE=$(CURDIR)/$(MODULE) node --test --test-concurrency=$(JOBS) --test-reporter=spec t/e2e/*.test.mjs

paywall-shot: need-test ## the paywall in headless Chromium; pictures in build/paywall, one of them to docs/paywall.png
	@t/lib/need chromium
	@$(MAKE) --no-print-directory $(MODULE)
	X402_MODULE=$(CURDIR)/$(MODULE) prove -It/lib -v t/http/paywall_browser.t
	cp build/paywall/readme.png docs/paywall.png

house: ## the rules of the house, checked by machine
	prove -j$(JOBS) -It/lib t/house/*.t

# --- faults and sanitizers ----------------------------------------------------

CASES ?= 2000
SEED ?=
CASE ?=
MEMORY ?=
MACHINES ?=
CHAOS = /usr/bin/python3 t/chaos/chaos_run.py --shim $(CURDIR)/build/chaos/fault_shim.so
CHAOS_MODULE = --module $(CURDIR)/$(MODULE)

chaos: need-chaos ## CASES=2000 cases of every fault we know; SEED=s CASES=n repeats them, CASE=k runs one alone, MACHINES=3 with a store
	@$(MAKE) --no-print-directory $(MODULE) build/chaos/fault_shim.so
	@$(CHAOS) $(CHAOS_MODULE) --cases $(CASES) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE)) \
		$(if $(MEMORY),--memory) $(if $(MACHINES),--machines $(MACHINES))

# The same cases each time, and others each time.
chaos-short: need-chaos
	@$(MAKE) --no-print-directory $(MODULE) build/chaos/fault_shim.so
	@$(CHAOS) $(CHAOS_MODULE) --quiet --cases 75 --seed 402
	@$(CHAOS) $(CHAOS_MODULE) --quiet --cases 75
	@$(CHAOS) $(CHAOS_MODULE) --quiet --cases 40 --memory --disturb memory

build/chaos/fault_shim.so: t/chaos/fault_shim.c
	@mkdir -p $(@D)
	@$(CC) -shared -fPIC -O1 -g -W -Wall -Werror -o $@ $<

# The pure rooms alone, in virtual time: as they were compiled for the module.
SIMULATE_SRC := $(wildcard t/simulate/*.cpp)
SIMULATE_PURE := $(patsubst src/%.cpp,build/module/objs/addon/%.o,$(patsubst build/made/%,src/store/%,$(PURE_SRC)))
SIMULATE_OBJ := $(SIMULATE_SRC:%.cpp=build/bench/o/%.o) $(SIMULATE_PURE)
STEPS ?= 1000000

simulate: need-build ## STEPS=1000000 payments through the pure rooms in virtual time; SEED=s repeats them
	@$(MAKE) --no-print-directory -j$(JOBS) build/simulate/simulate
	@build/simulate/simulate --payments $(STEPS) $(if $(SEED),--seed $(SEED))

# With ASan and UBSan: the same payments each time, and others each time.
simulate-short: need-test
	@$(MAKE) --no-print-directory -j$(JOBS) build/simulate/sanitized build/simulate/simulate
	@build/simulate/sanitized --quiet --seconds 10 --seed 402
	@build/simulate/sanitized --quiet --seconds 20
	@$(MAKE) --no-print-directory simulate-planted

simulate-planted: need-test ## the simulator finds each fault that is planted into a copy of the sources
	@$(MAKE) --no-print-directory -j$(JOBS) build/simulate/simulate
	@SIMULATE_OBJECTS="$(SIMULATE_OBJ)" SIMULATE_LIBS="$(PURE_LIBS)" prove -j$(JOBS) -It/lib t/simulate/*.t

$(SIMULATE_PURE): | $(MODULE) ;

build/simulate/simulate: $(SIMULATE_OBJ)
	@mkdir -p $(@D)
	@$(CXX) -o $@ $^ $(PURE_LIBS)

build/simulate/sanitized: $(SIMULATE_SRC:%.cpp=build/fuzz/g/%.o) $(PURE_SRC:%.cpp=build/unit/%.o)
	@mkdir -p $(@D)
	@$(CXX) -fsanitize=address,undefined -o $@ $^ $(PURE_LIBS)

ASAN_NGINX = $(CURDIR)/build/asan-nginx/nginx
ASAN_ENVIRONMENT = X402_SLOW=1 LSAN_OPTIONS=suppressions=$(CURDIR)/t/lib/lsan.supp UBSAN_OPTIONS=print_stacktrace=1

asan: need-chaos ## t/http, CASES=200 of chaos and the fuzz seeds on a whole nginx with ASan and UBSan
	@t/lib/need libpcre2-dev zlib1g-dev
	@NGINX_SRC="$(NGINX_SRC)" JOBS=$(JOBS) t/lib/build-asan-nginx build/asan-nginx
	NGINX=$(ASAN_NGINX) X402_MODULE=static $(ASAN_ENVIRONMENT) prove -j$(JOBS) -It/lib t/http/*.t
	@$(MAKE) --no-print-directory asan-chaos CASES=200
	@$(MAKE) --no-print-directory replay

# ASan has its own malloc and clock: the shim stays out.
asan-chaos:
	$(ASAN_ENVIRONMENT) /usr/bin/python3 t/chaos/chaos_run.py --slow --module static --nginx $(ASAN_NGINX) \
		--cases $(CASES) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE))

# One of each kind: what a payment goes through from end to end.
VALGRIND_TESTS = $(addprefix t/http/,paid_gets_content.t bad_payment_header.t settle_outcomes.t settle_unknown.t \
	settle_before.t redelivery.t bodiless_answers.t hold_proxy.t protocol_v1.t variables.t facilitator_framing.t)

valgrind: need-test ## a short set of t/http under valgrind
	@t/lib/need valgrind
	@$(MAKE) --no-print-directory $(MODULE)
	@rm -rf build/valgrind && mkdir -p build/valgrind
	NGINX=$(CURDIR)/t/lib/valgrind-nginx REAL_NGINX=$(NGINX) X402_MODULE=$(CURDIR)/$(MODULE) X402_VALGRIND=$(CURDIR)/build/valgrind X402_SLOW=1 \
		prove -j$(JOBS) -It/lib $(VALGRIND_TESTS)
	@cat build/valgrind/*.log | grep -v '^$$' | head -200; \
	 if cat build/valgrind/*.log | grep -q .; then echo "valgrind: findings in build/valgrind"; exit 1; else echo "valgrind: nothing found"; fi

# --- unit objects ------------------------------------------------------------

UNIT_SRC := $(PURE_SRC) $(foreach room,$(PURE),$(wildcard t/unit/$(room)/*.cpp))
UNIT_OBJ := $(UNIT_SRC:%.cpp=build/unit/%.o)
PURE_FLAGS := -std=c++17 -O1 -g1 -W -Wall -Wextra -Wshadow -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -iquote src
UNIT_FLAGS := $(PURE_FLAGS) -iquote t/unit -DX402_VECTORS='"t/vectors"'

build/unit/run: $(UNIT_OBJ)
	@$(CXX) -fsanitize=address,undefined -o $@ $^ \
		-lgtest_main -lgtest $(PURE_LIBS) -lpthread
	@echo "built $@"

# Tests are compiled as they stand: to optimize them takes three times as long.
build/unit/t/%.o: private UNIT_FLAGS += -O0 $(UNIT_HEADERS:%.gch=-include %)

# What nearly all of them include is read once: that is a third of what they take. ccache
# cannot keep what depends on it, and saves more where there is one.
UNIT_HEADERS := $(if $(findstring ccache,$(realpath $(shell command -v $(firstword $(CXX))))),,build/unit/headers.hpp.gch)
$(filter build/unit/t/%,$(UNIT_OBJ)): $(UNIT_HEADERS)

build/unit/headers.hpp.gch: Makefile
	@mkdir -p $(@D)
	@printf '#include <%s>\n' gtest/gtest.h algorithm array map memory optional random string string_view vector > build/unit/headers.hpp
	@$(CXX) $(UNIT_FLAGS) -O0 -x c++-header -o $@ build/unit/headers.hpp

build/unit/%.o: %.cpp
	@mkdir -p $(@D)
	@$(CXX) $(UNIT_FLAGS) -MMD -MP -c -o $@ $<

-include $(UNIT_OBJ:.o=.d)

# --- fuzz targets ------------------------------------------------------------

FUZZ := $(patsubst t/fuzz/%.cpp,%,$(wildcard t/fuzz/*_fuzz.cpp))
FUZZ_SRC := $(PURE_SRC)

fuzz: need-test ## libFuzzer on every decoder, FUZZ_TIME=60 seconds each
	@t/lib/need clang libclang-rt-14-dev
	@$(MAKE) --no-print-directory -j$(JOBS) build/fuzz/seeds/made $(FUZZ:%=build/fuzz/%)
	@for t in $(FUZZ); do mkdir -p build/fuzz/corpus/$$t; echo "== $$t"; \
	 build/fuzz/$$t -max_total_time=$(FUZZ_TIME) -max_len=8192 -timeout=10 -verbosity=0 \
	   -artifact_prefix=build/fuzz/crash-$$t- \
	   build/fuzz/corpus/$$t build/fuzz/seeds/$$t || exit 1; done

replay: need-test ## the fuzz targets once over their seeds, without clang
	@$(MAKE) --no-print-directory -j$(JOBS) build/fuzz/seeds/made $(FUZZ:%=build/fuzz/replay-%)
	@for t in $(FUZZ); do build/fuzz/replay-$$t build/fuzz/seeds/$$t/* || exit 1; done

build/fuzz/seeds/made: build/fuzz/make_seeds $(wildcard t/vectors/*.json)
	@rm -rf $(@D) && build/fuzz/make_seeds t/vectors $(@D) && touch $@

# What is tested is compiled once, for the unit tests.
build/fuzz/make_seeds: build/fuzz/g/t/fuzz/make_seeds.o $(FUZZ_SRC:%.cpp=build/unit/%.o)
	@$(CXX) -fsanitize=address,undefined -o $@ $^ $(PURE_LIBS)

build/fuzz/replay-%: build/fuzz/g/t/fuzz/%.o build/fuzz/g/t/fuzz/replay.o \
		$(FUZZ_SRC:%.cpp=build/unit/%.o)
	@$(CXX) -fsanitize=address,undefined -o $@ $^ $(PURE_LIBS)

build/fuzz/%_fuzz: build/fuzz/c/t/fuzz/%_fuzz.o $(FUZZ_SRC:%.cpp=build/fuzz/c/%.o)
	@clang++ -fsanitize=fuzzer,address,undefined -o $@ $^ $(PURE_LIBS)

build/fuzz/g/%.o: %.cpp
	@mkdir -p $(@D)
	@$(CXX) $(PURE_FLAGS) -MMD -MP -c -o $@ $<

build/fuzz/c/%.o: %.cpp
	@mkdir -p $(@D)
	@clang++ $(PURE_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

.SECONDARY:

-include $(wildcard build/fuzz/*/*/*/*.d)

# --- benches -----------------------------------------------------------------

BENCH_PROGRAMS := load_generator stub_facilitator sign_payments floor_server ping_store heap_counter.so
BENCH_FLAGS := -std=c++17 -O2 -g -W -Wall -Wextra -Wshadow -Werror -iquote src -iquote t/bench
MICRO_SRC := $(PURE_SRC) $(wildcard t/bench/*_micro.cpp)

need-bench: need-build
	@t/lib/need util-linux openssl
	@t/lib/need-node

t/bench/node_modules/.package-lock.json: t/bench/package-lock.json \
		t/bench/package.json t/bench/.npmrc
	cd t/bench && npm ci
	@touch $@

bench: need-bench ## this module beside nginx, njs, express and hono; BENCH_TIME=3 seconds a cell, about 6 minutes
	@t/lib/need libnginx-mod-http-js
	@$(MAKE) --no-print-directory t/bench/node_modules/.package-lock.json
	@$(MAKE) --no-print-directory $(MODULE) $(BENCH_PROGRAMS:%=build/bench/%)
	@X402_MODULE=$(CURDIR)/$(MODULE) NGINX=$(NGINX) BENCH_TIME=$(BENCH_TIME) node t/bench/bench.mjs

bench-micro: need-build ## Google Benchmark over the pure rooms: decode, match, offer, claim, settle answer
	@t/lib/need libbenchmark-dev
	@$(MAKE) --no-print-directory -j$(JOBS) build/bench/micro build/bench/sign_payments
	build/bench/micro --benchmark_min_time=0.3 2>/dev/null | tee build/bench/micro.txt

bench-check: need-bench ## instructions per request against t/bench/baseline.json; UPDATE=1 writes it
	@t/lib/need valgrind
	@$(MAKE) --no-print-directory $(MODULE) $(BENCH_PROGRAMS:%=build/bench/%)
	@X402_MODULE=$(CURDIR)/$(MODULE) NGINX=$(NGINX) UPDATE=$(UPDATE) node t/bench/check.mjs

bench-scale: need-bench ## cost against locations, accepts, zone, payload, payments in flight, workers, disk; about 15 minutes
	@t/lib/need valgrind
	@$(MAKE) --no-print-directory $(MODULE) $(BENCH_PROGRAMS:%=build/bench/%) build/chaos/fault_shim.so
	@X402_MODULE=$(CURDIR)/$(MODULE) NGINX=$(NGINX) BENCH_TIME=$(BENCH_TIME) node t/bench/scale.mjs

bench-docs: ## puts the latest tables of build/bench into docs/performance.md
	@t/lib/need-node
	@node t/bench/docs.mjs

build/bench/load_generator: build/bench/o/t/bench/load_generator.o
	@$(CXX) -o $@ $^

build/bench/floor_server: build/bench/o/t/bench/floor_server.o
	@$(CXX) -o $@ $^

build/bench/ping_store: build/bench/o/t/bench/ping_store.o
	@$(CXX) -o $@ $^

build/bench/heap_counter.so: t/bench/heap_counter.cpp
	@mkdir -p $(@D)
	@$(CXX) $(BENCH_FLAGS) -shared -fPIC -o $@ $<

build/bench/stub_facilitator: build/bench/o/t/bench/stub_facilitator.o
	@$(CXX) -o $@ $^ -lssl -lcrypto

build/bench/sign_payments: build/bench/o/t/bench/sign_payments.o \
		$(patsubst %.cpp,build/bench/o/%.o,$(filter src/base/%,$(PURE_SRC)))
	@$(CXX) -o $@ $^ $(PURE_LIBS)

build/bench/micro: $(MICRO_SRC:%.cpp=build/bench/o/%.o)
	@$(CXX) -o $@ $^ -lbenchmark_main -lbenchmark $(PURE_LIBS) -lpthread

build/bench/o/%.o: %.cpp
	@mkdir -p $(@D)
	@$(CXX) $(BENCH_FLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard build/bench/o/*/*/*.d)

include packaging/package.mk

# --- the rest ----------------------------------------------------------------

demo: need-build need-e2e ## chain, facilitator and nginx with a paid location; pays once (ONCE=1 exits)
	@NGINX="$(BUILD_FOR)" NGINX_SRC="$(NGINX_SRC)" CC_OPT="-O0 -g1" X402_PROGRESS=1 t/lib/build-module build/demo
	@X402_MODULE=$(CURDIR)/build/demo/ngx_http_x402_module.so node t/e2e/demo.mjs

pay: need-e2e ## one payment at URL=http://..., by the wallet whose key is in X402_KEY, at most X402_MAX=1 dollars
	@URL='$(URL)' node t/e2e/pay.mjs

CXX_FILES = $(foreach dir,src/* src/nginx/* src/nginx/*/* t/unit t/unit/* t/fuzz t/simulate t/bench tools,$(wildcard $(dir)/*.cpp $(dir)/*.hpp))

format: ## clang-format for the C++ (ngx_http_x402_module.c is kept by hand)
	@t/lib/need clang-format
	clang-format -i $(CXX_FILES)

# Without git, which may not be installed yet when this is read.
SHELL_FILES = $(sort $(shell grep -rlE '^\#!/bin/(ba)?sh' --exclude-dir=.git --exclude-dir=build \
	--exclude-dir=node_modules --exclude-dir=http .))

need-lint:
	@t/lib/need clang-format clang-tidy shellcheck git

lint: need-lint house ## formatting, clang-tidy on the sources that differ from the main branch (20 at most), perl -c, shellcheck, whitespace
	@case "$$(clang-format --version)" in \
	*"version 14."*) clang-format --dry-run -Werror $(CXX_FILES);; \
	*) echo "formatting is not checked: releases of clang-format differ, and the tree follows 14";; \
	esac
	@case "$$(clang-tidy --version)" in \
	*"version 14."*) $(MAKE) --no-print-directory tidy TIDY="$$(echo $$(t/lib/changed-sources))";; \
	*) echo "clang-tidy does not run: its releases differ, and .clang-tidy follows 14";; \
	esac
	@! printf '%s\n' t/http/*.t t/house/*.t t/package/*.t t/lib/X402/*.pm | xargs -P $(JOBS) -n 1 perl -It/lib -wc 2>&1 | grep -v ' syntax OK$$'
	shellcheck -S warning $(SHELL_FILES)
	@if git rev-parse -q --verify HEAD >/dev/null 2>&1; then git diff --check $$(git hash-object -t tree /dev/null) HEAD -- . ':!t/vectors'; \
	else echo "whitespace is not checked: this is not a clone"; fi

compdb: need-build ## build/compile_commands.json, for editors and clang-tidy
	@$(MAKE) --no-print-directory $(MODULE)
	@t/lib/compile-commands build/module > build/compile_commands.json
	@echo "build/compile_commands.json"

# Files that changed since they were last found clean; a first run of all takes long.
TIDY = $(wildcard src/*/*.cpp src/nginx/*/*.cpp src/nginx/*/*/*.cpp)
TIDY_FILES = $(TIDY:src/%.cpp=build/tidy/%.ok)

tidy: $(if $(TIDY),compdb) ## clang-tidy (bugprone, performance) on every file that has changed since it was clean; TIDY="src/..." names some
	@t/lib/need clang-tidy
	@$(if $(TIDY_FILES),$(MAKE) --no-print-directory -k -j$(JOBS) $(TIDY_FILES),echo "clang-tidy: no source differs")

build/tidy/%.ok: src/%.cpp .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet -p build $< > $(@D)/$(*F).log 2>/dev/null || { cat $(@D)/$(*F).log; exit 1; }
	@touch $@

clean: ## remove build/
	rm -rf build
