# SPDX-License-Identifier: BSD-2-Clause
#
# `make help` lists the targets. Settings, source lists, targets, then rules; everything built goes to build/.
#
#   V=1          print the commands
#   SANITIZE=1   build userspace and tests with AddressSanitizer and UBSan; run `make clean` before and after

.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# --- settings ---

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
prefix  ?= /usr/local
sysconfdir ?= /etc
mandir  ?= $(prefix)/share/man
unitdir ?= $(prefix)/lib/systemd/system
VERSION := 0.1.0
MACHINE := $(shell uname -m)
ARCH    := $(subst x86_64,x86,$(subst aarch64,arm64,$(MACHINE)))
B       := build
Q       := $(if $(V),,@)
say      = @$(if $(V),true,printf '  %-7s %s\n' $(1) $(2))
comma   := ,

CFLAGS  ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DCACHEWARDEN_VERSION=\"$(VERSION)\" -Iinclude -Iuserspace -I$(B)
WARN    := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wno-unused-parameter \
	   -Wno-missing-field-initializers
USERFLAGS = $(CFLAGS) -std=gnu11 $(WARN) $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer)
BPFFLAGS  = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -std=gnu11 -Wall -Wextra -Werror \
	    -Wno-unused-parameter -Iinclude -Ivmlinux -Ibpf -I/usr/include/$(MACHINE)-linux-gnu
LIBS    := -lbpf -lelf -lz -lzstd -lyaml -ljansson -lssl -lcrypto

# Sub-makes build in parallel unless the caller chose a number of jobs. Lines that use it begin with +, which
# hands them the caller's jobs.
SUBMAKE  = $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# --- sources ---

SENSORS  := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c))
SKELS    := $(SENSORS:%=$(B)/%.skel.h)
OBJS     := $(patsubst userspace/%.c,$(B)/user/%.o,$(wildcard userspace/*/*.c))
PURE     := $(B)/pure.a # all but main()
ANALYZED := $(OBJS:$(B)/user/%.o=$(B)/analyzed/%)
TRIGGERS := $(patsubst tests/triggers/%.c,$(B)/triggers/%,$(wildcard tests/triggers/*.c))
MODULES  := $(patsubst tests/triggers/module/%.c,$(B)/triggers/%.so,$(wildcard tests/triggers/module/*.c))
UNITS    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
LIVE     := $(patsubst tests/live/%.c,$(B)/live/%.o,$(wildcard tests/live/*.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
BENCHES  := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
EXACT    := $(B)/bench/exact $(B)/bench/floor

UNITFILES := $(patsubst docs/package/%,$(B)/package/%,$(wildcard docs/package/*.service docs/package/*.socket))

# What a fuzz target needs of userspace/, compiled again with its instrumentation.
FUZZED_fuzz_policy := $(patsubst %,userspace/%.c,policy/policy_yaml policy/policy policy/policy_check policy/policy_key \
	policy/policy_row policy/policy_sink policy/policy_sink_check policy/policy_table policy/policy_value model/rule model/severity model/tls_suite \
	base/http_address)
FUZZ_LIBS_fuzz_policy := -lyaml
FUZZED_fuzz_note := $(patsubst %,userspace/%.c,base/base64 evidence/note evidence/tree)
FUZZ_LIBS_fuzz_note := -lcrypto
FUZZED_fuzz_hello := userspace/validate/hello.c
FUZZED_fuzz_witness := $(patsubst %,userspace/%.c,base/base64 base/http evidence/witness_request evidence/note evidence/tree)
FUZZ_LIBS_fuzz_witness := -lcrypto
FUZZED_fuzz_frame := $(patsubst %,userspace/%.c,evidence/frame evidence/pruned evidence/entry evidence/canon evidence/note evidence/tree base/base64 base/crc32c)
FUZZ_LIBS_fuzz_frame := -lcrypto -ljansson

FUZZED_fuzz_proc := $(patsubst %,userspace/%.c,base/clock base/dpkg base/host_state base/procdir model/proc_text)

# The lanes load the objects one by one when a kernel refuses one.
.SECONDARY: $(SENSORS:%=$(B)/%.bpf.o)

# --- targets: build and run ---

all: $(B)/cachewarden ; @: ## build the monitor: build/cachewarden

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## /{printf "  %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building and running needs (apt, as root)
	$(Q)tests/scripts/deps.sh build

run: deps ## monitor every Redis and Valkey on this host; starts a scratch one if there is none (root)
	+$(Q)$(SUBMAKE) all
	$(Q)tests/scripts/run.sh $(B)/cachewarden

# The policy is the administrator's: one that is there stays.
install: all $(UNITFILES) $(B)/completion.bash $(B)/completion.fish $(B)/completion.zsh ## install to DESTDIR/prefix
	install -D -m 755 $(B)/cachewarden $(DESTDIR)$(prefix)/sbin/cachewarden
	for page in docs/cachewarden*.[1-8]; do \
		install -D -m 644 -t $(DESTDIR)$(mandir)/man$${page##*.} $$page || exit 1; \
	done
	install -D -m 644 -t $(DESTDIR)$(unitdir) $(UNITFILES)
	install -D -m 644 -t $(DESTDIR)$(prefix)/share/cachewarden docs/monitoring/alerts.yml docs/monitoring/dashboard.json
	install -D -m 644 $(B)/completion.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/cachewarden
	install -D -m 644 $(B)/completion.fish $(DESTDIR)$(prefix)/share/fish/vendor_completions.d/cachewarden.fish
	install -D -m 644 $(B)/completion.zsh $(DESTDIR)$(prefix)/share/zsh/vendor-completions/_cachewarden
	[ -e $(DESTDIR)$(sysconfdir)/cachewarden/policy.yaml ] || \
		install -D -m 644 -t $(DESTDIR)$(sysconfdir)/cachewarden docs/package/policy.yaml

deb: ## build a Debian package in build/deb/, and check it with lintian
	$(Q)tests/scripts/deps.sh build package
	$(Q)tests/scripts/deb.sh

deb-check: ## install, upgrade, remove and purge that package in a chroot (root; debootstrap takes minutes)
	$(Q)tests/scripts/deps.sh package
	$(Q)tests/scripts/deb-chroot.sh

# Of what is committed: the same bytes each time.
dist: all ## pack the committed tree and its SBOM (SPDX) in build/dist/
	$(Q)tests/scripts/dist.sh $(B)/dist

dist-check: all ## check that two tarballs are the same bytes, that the SBOM is true, and that the tarball builds
	$(Q)tests/scripts/dist-check.py build

clean: ## remove build/
	rm -rf $(B)

# --- targets: tests ---

check: ## unit tests, lint, analyze, live tests, other kernels in emulation (root; installs what it needs)
	$(Q)tests/scripts/deps.sh build test fuzz
	+$(Q)$(SUBMAKE) all tests peers $(EXACT)
	$(Q)tests/scripts/check.sh

tests: $(TRIGGERS) $(MODULES) $(UNITS) $(BENCHES) $(B)/cachewarden-live $(B)/docgen ## build the tests without running them

peers: ## build TLS clients that Debian does not package: rustls, OpenSSL 1.0.2; a failure is not an error
	$(Q)tests/scripts/peers.sh $(B)/peers

unit: $(UNITS) $(B)/docgen $(B)/cachewarden ## run the unit tests and lint; no root needed
	$(Q)tests/scripts/check.sh unit

fuzzers: $(FUZZERS) ## build the fuzz targets without running them

lint: $(B)/docgen ## check layers, licences, formatting, shell scripts and generated documents
	$(Q)tests/scripts/lint.py

analyze: $(ANALYZED) ## run clang-tidy on userspace/ and include/ (DEPTH=225000: walk further, 10 minutes)

corpus: ## run every attack on every kernel and write what caught it to docs/coverage.md (root)
	$(Q)tests/scripts/deps.sh build test
	+$(Q)$(SUBMAKE) all tests
	$(Q)tests/scripts/corpus.sh

interplay: ## run all of testssl.sh against a monitored Redis, some minutes (root); check has a short one
	$(Q)tests/scripts/deps.sh build test
	+$(Q)$(SUBMAKE) all tests
	$(Q)$(B)/cachewarden-live interplay:

soak: ## slow live tests that check leaves out: bad networks, Java, testssl.sh, haproxy, tables filled by a user (root)
	$(Q)tests/scripts/deps.sh build test
	+$(Q)$(SUBMAKE) all tests
	$(Q)$(B)/cachewarden-live -s

day: ## 24 hours of ordinary host work in minutes, and the incidents they raise: none above low (root)
	$(Q)tests/scripts/deps.sh build test day
	+$(Q)$(SUBMAKE) all
	$(Q)tests/scripts/day.sh

fuzz: $(FUZZERS) $(B)/unit/test_tls_mutated ## fuzz the parsers of TLS, policies, evidence and the witness, RUNS=10000000 each
	$(Q)STREAMS=1000000 $(B)/unit/test_tls_mutated
	$(Q)for f in $(FUZZERS); do mkdir -p $$f.new; $$f -runs=$(or $(RUNS),10000000) -max_len=4096 \
		-artifact_prefix=$(B)/fuzz/ -print_final_stats=1 -verbosity=1 $$f.new \
		$(wildcard tests/policies/wrong) || exit 1; done

# --- targets: measurements ---

bench: ## measure cost and latency on a scratch Redis (root); for settings see tests/bench/bench.py
	$(Q)tests/scripts/deps.sh build test bench
	+$(Q)$(SUBMAKE) all tests $(BENCHES)
	$(Q)tests/bench/bench.py

# LANES='6.1 6.12' measures those kernels; UPDATE=1 rewrites docs/cost.json, with three runs of each.
bench-exact: ## count the instructions that the monitor costs on emulated kernels, beside other tools (root)
	$(Q)tests/scripts/deps.sh build test bench
	+$(Q)$(SUBMAKE) all tests $(EXACT)
	$(Q)tests/bench/exact.py $(if $(UPDATE),--update) $(LANES)

cost-check: all tests $(EXACT) ## count them on one emulated kernel and compare with docs/cost.json: none may grow (root)
	$(Q)tests/bench/exact.py --check $(LANES)

# LANES='6.1 6.12' measures those kernels; UPDATE=1 rewrites the table.
verifier-cost: all tests $(B)/bench/verifier_cost ## compare what BPF programs cost the verifier with the committed table (root)
	$(Q)tests/scripts/verifier-cost.py $(if $(UPDATE),--update) $(LANES)

# --- targets: documents and editors ---

docs: $(B)/docgen ## rewrite what the documentation repeats of the code's tables, and of docs/cost.json
	$(Q)$(B)/docgen
	$(Q)tests/bench/exact.py --docs

compile_commands.json: ## write the compilation database for clangd and editors
	+$(Q)$(MAKE) --no-print-directory --always-make --dry-run V=1 all tests $(FUZZERS) $(BENCHES) | \
		tests/scripts/compile-commands.py >$@

.PHONY: all help deps run install deb deb-check dist dist-check clean check tests peers unit fuzzers lint analyze corpus interplay soak day fuzz bench \
	bench-exact cost-check verifier-cost docs compile_commands.json FORCE

# --- rules ---

$(B)/cachewarden: $(OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(USERFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Written anew each time: prefix may be another one.
$(B)/package/%: docs/package/% FORCE
	@mkdir -p $(@D)
	$(Q)sed 's|@sbindir@|$(prefix)/sbin|' $< >$@

FORCE:

$(B)/completion.%: $(B)/cachewarden
	$(Q)$< completion $* >$@

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

$(PURE): $(filter-out $(B)/user/cmd/main.o,$(OBJS))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/user/sensor/loader.o: $(SKELS)
$(B)/user/attest/bundle.o: userspace/attest/verify.py

# The object is a prerequisite because it depends on the headers. stderr only counts suppressed warnings. Of the time that
# the analyzer takes to walk paths through functions, DEPTH is the limit, in nodes per function. clang's own is 225000,
# which takes four times as long.
DEPTH ?= 20000
ANALYZER = $(foreach arg,-analyzer-config max-nodes=$(DEPTH),--extra-arg=-Xclang --extra-arg=$(arg))

$(B)/analyzed/%: userspace/%.c $(B)/user/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $(ANALYZER) $(TIDYFLAGS) $< -- $(CPPFLAGS) -std=gnu11 2>/dev/null
	@touch $@

# The generated skeletons free through libbpf, which the analyzer does not see: it reports each as a leak.
$(B)/analyzed/sensor/loader: TIDYFLAGS := --checks=-clang-analyzer-unix.Malloc

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
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -Itests -MMD -MP -Wl,--as-needed -o $@ $< -ljansson -lbpf -lssl -lcrypto

$(B)/bench/evidence: tests/bench/evidence.c $(PURE)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(USERFLAGS) -Itests -MMD -MP -o $@ $< $(PURE) $(LIBS)

.SECONDEXPANSION:
$(B)/fuzz/%: tests/fuzz/%.c $$(FUZZED_$$*) $(wildcard include/*.h include/*/*.h userspace/*/*.h)
	@mkdir -p $(@D)
	$(Q)tests/scripts/deps.sh build fuzz
	$(call say,FUZZ,$<)
	$(Q)$(CLANG) -g -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter \
		-Wno-missing-field-initializers -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Iuserspace -o $@ $< $(FUZZED_$*) $(FUZZ_LIBS_$*)

-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d)
