# SPDX-License-Identifier: BSD-2-Clause
#
# cachewarden: `make help` lists what can be made. Everything built lands in build/.

.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
prefix  ?= /usr/local
ARCH    := $(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m)))
B       := build
Q       := $(if $(V),,@)
say      = @$(if $(V),true,printf '  %-7s %s\n' $(1) $(2))

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wno-unused-parameter -Wno-missing-field-initializers
VERSION := 0.1.0
CPPFLAGS += -D_GNU_SOURCE -DCACHEWARDEN_VERSION=\"$(VERSION)\" -Iinclude -Iuserspace -I$(B)
USERFLAGS = $(CFLAGS) -std=gnu11 $(WARN) $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer)
BPFFLAGS  = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -std=gnu11 -Wall -Wextra -Werror \
	    -Wno-unused-parameter -Iinclude -Ivmlinux -Ibpf -I/usr/include/$(shell uname -m)-linux-gnu
comma   := ,
LIBS    := -lbpf -lelf -lz -lyaml -ljansson -lcrypto

SENSORS := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c))
# objects are kept: the lanes load them one by one when a kernel refuses one
.SECONDARY: $(SENSORS:%=$(B)/%.bpf.o)
SKELS   := $(SENSORS:%=$(B)/%.skel.h)
OBJS    := $(patsubst userspace/%.c,$(B)/user/%.o,$(wildcard userspace/*/*.c))
PURE    := $(filter-out $(B)/user/cmd/main.o,$(OBJS))
TRIGGERS := $(patsubst tests/triggers/%.c,$(B)/triggers/%,$(wildcard tests/triggers/*.c))
MODULES := $(patsubst tests/triggers/module/%.c,$(B)/triggers/%.so,$(wildcard tests/triggers/module/*.c))
UNITS   := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
LIVE    := $(patsubst tests/live/%.c,$(B)/live/%.o,$(wildcard tests/live/*.c))

all: $(B)/cachewarden ; @: ## build the monitor: build/cachewarden

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building and running needs (apt, as root)
	$(Q)tests/scripts/deps.sh build

run: deps ## watch every Redis/Valkey here; where none runs, a scratch one is started
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/scripts/run.sh $(B)/cachewarden

check: ## all tests: unit, live on this kernel, lanes on others (root; installs what it needs)
	$(Q)tests/scripts/deps.sh build test fuzz
	$(Q)$(MAKE) --no-print-directory all tests peers $(FUZZERS)
	$(Q)tests/scripts/check.sh

tests: $(TRIGGERS) $(MODULES) $(UNITS) $(B)/cachewarden-live $(B)/docgen ## build the tests without running them

peers: ## the TLS stacks that Debian has no program of: rustls, OpenSSL 1.0 (no failure where one cannot be had)
	$(Q)tests/scripts/peers.sh $(B)/peers

unit: $(UNITS) $(B)/docgen ## unit tests only, no root needed
	$(Q)tests/scripts/check.sh unit

corpus: ## every attack on every kernel: what caught it; writes the table in docs/coverage.md
	$(Q)tests/scripts/deps.sh build test
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)tests/scripts/corpus.sh

interplay: ## testssl.sh with all it has against a watched Redis, a few minutes; the quick one is in check
	$(Q)tests/scripts/deps.sh build test
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)$(B)/cachewarden-live interplay:

soak: ## slow tests that check leaves out: 10,000 TLS connections over a bad network; Java, testssl.sh, haproxy; loss, reordering, duplication
	$(Q)tests/scripts/deps.sh build test
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)$(B)/cachewarden-live -s

bench: ## measure cost and latency on a live Redis (as root; installs what it needs)
	$(Q)tests/scripts/deps.sh build test bench
	$(Q)$(MAKE) --no-print-directory all tests $(BENCHES)
	$(Q)tests/bench/bench.py

verifier-cost: all $(B)/bench/verifier_cost ## BPF programs that cost the verifier 10 % more than the committed table (root); UPDATE=1 writes it
	$(Q)tests/scripts/verifier-cost.py $(if $(UPDATE),--update)

fuzz: $(FUZZERS) $(B)/unit/test_tls_mutated ## fuzz the readers of TLS and of policies, RUNS=10000000 times each; 10^6 mutated streams
	$(Q)STREAMS=1000000 $(B)/unit/test_tls_mutated
	$(Q)for f in $(FUZZERS); do mkdir -p $$f.new; $$f -runs=$(or $(RUNS),10000000) -max_len=4096 -artifact_prefix=$(B)/fuzz/ \
		-print_final_stats=1 -verbosity=1 $$f.new $(wildcard tests/policies/wrong) || exit 1; done

docs: $(B)/docgen ## rewrite what the documentation repeats of the code's tables
	$(Q)$(B)/docgen

lint: $(B)/docgen ## layers, licences, formatting
	$(Q)tests/scripts/lint.py

install: all ## install to DESTDIR/prefix
	install -D -m 755 $(B)/cachewarden $(DESTDIR)$(prefix)/sbin/cachewarden
	install -D -m 644 docs/cachewarden-policy.5 $(DESTDIR)$(prefix)/share/man/man5/cachewarden-policy.5

clean: ## remove build/
	rm -rf $(B)

$(B)/cachewarden: $(OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(USERFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -MF $(B)/$*.bpf.d -MT $@ -c $< -o $@
	$(Q)llvm-strip -g $@ 2>/dev/null || true

$(B)/%.skel.h: $(B)/%.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(B)/user/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -MMD -MP -c $< -o $@

$(B)/user/sensor/loader.o: $(SKELS)

$(B)/triggers/%: tests/triggers/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -MMD -MP -Wl,--as-needed -o $@ $< -lssl -lcrypto -lpthread

$(B)/triggers/%.so: tests/triggers/module/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -shared -fPIC -o $@ $<

$(B)/unit/%: tests/unit/%.c $(PURE)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -MMD -MP -o $@ $< $(PURE) -lcmocka -ljansson -lssl -lcrypto $(LIBS)

$(B)/docgen: tests/scripts/docgen.c $(PURE)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -MMD -MP -o $@ $< $(PURE) $(LIBS)

$(B)/live/%.o: tests/live/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -MMD -MP -c $< -o $@

$(B)/cachewarden-live: $(LIVE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(USERFLAGS) -o $@ $^ -ljansson -lssl -lcrypto -lpthread

$(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -MMD -MP -Wl,--as-needed -o $@ $< -ljansson -lbpf

# what a fuzz target takes from userspace/: pure code, instrumented with it
FUZZED_fuzz_policy := $(patsubst %,userspace/%.c,policy/policy_yaml policy/policy policy/policy_key policy/policy_table policy/policy_value model/rule model/severity \
	model/tls_suite)
FUZZ_LIBS_fuzz_policy := -lyaml
.SECONDEXPANSION:
$(B)/fuzz/%: tests/fuzz/%.c $$(FUZZED_$$*) $(wildcard include/*.h include/*/*.h userspace/*/*.h)
	@mkdir -p $(@D)
	$(Q)tests/scripts/deps.sh build fuzz
	$(call say,FUZZ,$<)
	$(Q)$(CLANG) -g -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter \
		-Wno-missing-field-initializers -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Iuserspace -o $@ $< $(FUZZED_$*) $(FUZZ_LIBS_$*)

-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d)

.PHONY: all help deps run check tests peers unit corpus interplay soak bench verifier-cost fuzz docs lint install clean
