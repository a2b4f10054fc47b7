/* SPDX-License-Identifier: BSD-2-Clause */
/* validate_facts.h - facts of a server that keeps every promise of both profiles; tests break one thing at a time. */
#ifndef CACHEWARDEN_VALIDATE_FACTS_H
#define CACHEWARDEN_VALIDATE_FACTS_H

#include "tls/facts.h"
#include "validate/facts.h"

#include <stdio.h>
#include <string.h>

#define NOW_S 1795996800ll
#define DAY_S 86400ll

static inline struct facts good_facts(void)
{
	struct facts f = {
		.root = true,
		.now_s = NOW_S,
		.name = "redis-server:6379",
		.exe = "/usr/bin/redis-server",
		.pid = 4711,
		.wire = {.addresses = 1, .open = NO, .config_open = NO},
		.config = {.role = "master",
			   .file = "/etc/redis/redis.conf",
			   .may_debug = NO,
			   .may_module = NO,
			   .may_config = NO},
		.process = {.uid = {107, 107, 107, 107},
			    .no_new_privs = true,
			    .seccomp = 2,
			    .dumpable = YES,
			    .hidden = YES},
		.access = {.root = 80},
		.files = {.encrypted = YES, .place = "dm-crypt (dm-0)", .persists = true},
		.code = {.modules = 12},
		.host = {.ptrace_scope = 1,
			 .core_pattern_seen = true,
			 .core_pattern = "core",
			 .swap = NO,
			 .taint_seen = true,
			 .ksm = NO,
			 .lockdown = "integrity",
			 .unprivileged_bpf = 2,
			 .perf_paranoid = 3,
			 .kptr_restrict = 1,
			 .kernel = "6.12.9-amd64",
			 .newest = "6.12.9-amd64",
			 .packaged = true,
			 .kernel_package = {.running = "6.12.9-1",
					    .installed = "6.12.9-1",
					    .offered = "6.12.9-1",
					    .running_days = 12,
					    .lists_days = 1},
			 .reboot = NO},
		.watch = {.asked = true,
			  .watched_ms = 60000,
			  .handshakes = 3,
			  .session = {{"TLSv1.3 TLS_AES_128_GCM_SHA256", TLS_1_3, 0x1301, 3}},
			  .sessions = 1},
		.drilled = true,
	};
	struct facts_address *a = &f.wire.address[0];

	*a = (struct facts_address){
		.text = "10.0.0.1:6379",
		.port = 6379,
		.tls = true,
		.version = {TLS_1_3},
		.versions = 1,
		.suite = {0x1301, 0x1302, 0x1303},
		.suites = 3,
		.renegotiates = NO,
		.client_cert = CLIENT_CERT_REQUIRED,
		.cert = {.seen = true,
			 .trust = "its tls-ca-cert-file",
			 .names = "cache.example",
			 .from_s = NOW_S - DAY_S,
			 .until_s = NOW_S + 90 * DAY_S,
			 .key = "EC 256",
			 .strength = 128,
			 .digest = "ecdsa-with-SHA256",
			 .strong_digest = true},
	};
	for (size_t i = 0; i < DRILL_MAX; i++)
		f.drill[i] = (struct facts_drill){
			.alerted = true, .after_us = 12345, .outcome = "succeeded"};
	snprintf(f.config.value[DIR_DIR], sizeof(f.config.value[DIR_DIR]), "/var/lib/redis");
	return f;
}

static inline void add_file(struct facts *f, enum file_role role, const char *path, uint32_t mode,
			    bool others_pass)
{
	struct facts_file *file = &f->files.file[f->files.files++];

	*file = (struct facts_file){.role = role,
				    .mode = mode,
				    .others_read = others_pass && mode & 04,
				    .others_write = others_pass && mode & 02};
	snprintf(file->path, sizeof(file->path), "%s", path);
}

#endif
