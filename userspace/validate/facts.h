/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h - everything that `cachewarden validate` saw of one server and of its host. The look_*.c fill it in, the
 * check_*.c judge it. It has no pointers: what talks to the server is a process of its own, which returns a copy.
 *
 * What could not be seen is not guessed: each group has a text that says why, empty if it was seen.
 */
#ifndef CACHEWARDEN_FACTS_H
#define CACHEWARDEN_FACTS_H

#include "event.h"
#include "validate/option.h"

#include <stdbool.h>
#include <stdint.h>

#define FACTS_WHY 256
#define FACTS_NAME 64
#define FACTS_ADDRESSES 8
#define FACTS_VERSIONS 5 /* SSL 3 to TLS 1.3 */
#define FACTS_SUITES 96	 /* of one address; servers accept some thirty */
#define FACTS_PEOPLE 12	 /* processes that are named; the rest are counted */
#define FACTS_FILES 64
#define FACTS_MODULES 192 /* files that the server executes */

#define FACTS_SESSIONS 32 /* kinds of TLS sessions: version and suite */

#define FACTS_UNSEEN (-2)

/* An answer that may be missing. */
enum known { UNKNOWN, NO, YES };

enum client_cert { CLIENT_CERT_UNKNOWN, CLIENT_CERT_UNASKED, CLIENT_CERT_REQUIRED };

struct facts_certificate {
	bool seen;
	char chain[FACTS_WHY]; /* what is wrong with it; empty: it leads to a trusted one */
	char trust[FACTS_WHY]; /* the file of trusted certificates, or "the system's" */
	char names[FACTS_WHY];
	enum known name_matches; /* UNKNOWN: no name was asked for */
	int64_t from_s, until_s;
	char key[FACTS_NAME]; /* "RSA 2048" */
	uint32_t strength;    /* of the key, in bits of a symmetric one */
	char digest[FACTS_NAME];
	bool strong_digest;
	bool self_signed; /* the signature of a trust anchor protects nothing */
};

struct facts_address {
	char text[FACTS_NAME]; /* "127.0.0.1:6379" */
	uint8_t ip[16];
	uint16_t port;
	bool bus;   /* of its cluster, by the number */
	bool plain; /* answers a command without TLS */
	bool tls;
	char why[FACTS_WHY];	/* it answered neither */
	char unsure[FACTS_WHY]; /* an offer was neither accepted nor refused: it may accept more */
	uint16_t version[FACTS_VERSIONS];
	uint32_t versions;
	uint16_t suite[FACTS_SUITES];
	uint32_t suites;
	bool suites_cut; /* there are more */
	bool compression, tickets, no_safe_renegotiation;
	enum known renegotiates;
	enum client_cert client_cert;
	struct facts_certificate cert;
};

struct facts_wire {
	char why[FACTS_WHY];
	struct facts_address address[FACTS_ADDRESSES];
	uint32_t addresses;
	bool addresses_cut;
	bool same_network;	    /* as this process */
	char unix_socket[PATH_LEN]; /* that it listens on; empty: none is known */
	enum known open;	    /* commands are run without a password */
	enum known config_open;	    /* CONFIG too */
	char open_why[FACTS_WHY];
	char trust_why[FACTS_WHY]; /* what clients trust is not known */
};

/* The directives that are asked for. Never a secret: no requirepass, no masterauth. */
enum directive {
	DIR_DIR,
	DIR_DBFILENAME,
	DIR_APPENDONLY,
	DIR_APPENDDIRNAME,
	DIR_APPENDFILENAME,
	DIR_SAVE,
	DIR_ACLFILE,
	DIR_TLS_KEY,
	DIR_TLS_CLIENT_KEY,
	DIR_TLS_CA,
	DIR_TLS_CA_DIR,
	DIR_TLS_REPLICATION,
	DIR_TLS_CLUSTER,
	DIR_CLUSTER_ENABLED,
	DIR_UNIXSOCKET,
	DIR_MAX,
};

struct facts_config {
	char why[FACTS_WHY];
	char value[DIR_MAX][PATH_LEN]; /* empty: not set, or not known by this version */
	char file[PATH_LEN];	       /* its configuration file */
	char role[FACTS_NAME];	       /* "master" or "slave" */
	char info_why[FACTS_WHY];      /* file or role is not known */
	struct options options;	       /* that a decoy gets, too */
	/* may the default user run them? */
	char acl_why[FACTS_WHY];
	enum known may_debug, may_module, may_config;
};

struct facts_process {
	char why[FACTS_WHY];
	uint32_t uid[4];       /* real, effective, saved, of the file system */
	uint32_t gid;	       /* effective */
	uint64_t capabilities; /* permitted */
	bool no_new_privs;
	uint32_t seccomp; /* 2: a filter */
	uint64_t core_limit;
	enum known dumpable;
	uint64_t swapped_kb;
	enum known mergeable; /* by KSM */
	enum known hidden;    /* /proc shows it to its own user only */
	char loader_why[FACTS_WHY];
	char loader[FACTS_WHY]; /* names of variables that the loader or OpenSSL obeys */
	bool loader_gone;	/* the server wrote its title over them */
};

/* Processes that are named in a text, and how many there are. */
struct facts_people {
	uint32_t count;
	char text[FACTS_WHY];
};

struct facts_access {
	char why[FACTS_WHY];
	struct facts_people same_user; /* but no servers */
	struct facts_people capable;   /* not root, but with the rights to read other processes */
	uint32_t root;		       /* processes of root, which may always */
	struct facts_people servers, servers_same_user;
};

enum file_role { ROLE_KEY, ROLE_DATA, ROLE_CONFIG, ROLE_ACL, ROLE_SOCKET, ROLE_MAX };

struct facts_file {
	char path[PATH_LEN];
	enum file_role role;
	uint32_t uid, gid, mode;
	bool others_read;  /* and every directory above lets them pass */
	bool others_write; /* the same */
};

struct facts_files {
	char why[FACTS_WHY];
	char role_why[ROLE_MAX][FACTS_WHY]; /* one of them was not seen */
	struct facts_file file[FACTS_FILES];
	uint32_t files;
	bool files_cut;
	enum known encrypted; /* where its data are */
	char place[FACTS_WHY];
	bool persists; /* it writes its data */
	bool stored;   /* or did before */
};

struct facts_code {
	char why[FACTS_WHY];
	uint32_t modules;
	char foreign[FACTS_WHY];  /* not from where the system has its libraries */
	char exposed[FACTS_WHY];  /* what others than root can change; empty: nothing */
	char replaced[FACTS_WHY]; /* executed, but no longer on the disk */
};

/* Versions of Debian packages; empty: not known. */
struct facts_kernel {
	char why[FACTS_WHY]; /* what the distribution offers is not known */
	char running[FACTS_NAME], installed[FACTS_NAME], offered[FACTS_NAME];
	int64_t running_days, lists_days; /* of age; FACTS_UNSEEN: unknown */
};

struct facts_host {
	int ptrace_scope; /* -1: no Yama, FACTS_UNSEEN: unknown */
	bool core_pattern_seen;
	char core_pattern[FACTS_NAME * 2];
	enum known swap;
	bool swap_sealed;
	enum known ksm;					    /* NO: also where the kernel has none */
	char lockdown[FACTS_NAME];			    /* empty: not supported */
	int unprivileged_bpf, perf_paranoid, kptr_restrict; /* -1: unknown */
	char kernel[FACTS_NAME];
	char newest[FACTS_NAME]; /* installed; empty: none */
	bool packaged;		 /* the running kernel is among them */
	struct facts_kernel kernel_package;
	enum known reboot;
	bool taint_seen;
	uint64_t taint;
};

struct facts_session {
	char text[FACTS_NAME * 2]; /* "TLSv1.3 TLS_AES_256_GCM_SHA384" */
	uint16_t version, suite;   /* 0: not known by that name */
	uint64_t count;
};

/* What a monitor saw meanwhile, if it was asked for. */
struct facts_watch {
	bool asked;
	char why[FACTS_WHY];
	char doubts[4 * FACTS_WHY]; /* what it could not see; empty: it saw everything */
	int64_t watched_ms;
	uint64_t plaintext_bytes;
	uint64_t handshakes;
	struct facts_session session[FACTS_SESSIONS];
	uint32_t sessions;
	bool sessions_cut;
	uint64_t alerts[RULE_MAX]; /* the server's, and those of the whole host */
};

/* Drills by the rule that they must raise, in their order: a port serves plaintext for the first time once. X(name, NAME) */
#define DRILLS(X)                                                                                  \
	X(tls_listener, TLS_LISTENER)                                                              \
	X(mem_trace, MEM_TRACE)                                                                    \
	X(mem_read, MEM_READ)                                                                      \
	X(mem_write, MEM_WRITE)                                                                    \
	X(mem_inspect, MEM_INSPECT)                                                                \
	X(mem_fd, MEM_FD)                                                                          \
	X(mem_remote, MEM_REMOTE)                                                                  \
	X(mem_probe, MEM_PROBE)                                                                    \
	X(mem_kernel, MEM_KERNEL)                                                                  \
	X(mem_dump, MEM_DUMP)                                                                      \
	X(mem_inject, MEM_INJECT)                                                                  \
	X(rest_file, REST_FILE)                                                                    \
	X(tls_plaintext, TLS_PLAINTEXT)                                                            \
	X(tls_version, TLS_VERSION)                                                                \
	X(tls_cipher, TLS_CIPHER)                                                                  \
	X(tls_midstream, TLS_MIDSTREAM)                                                            \
	X(tls_writer, TLS_WRITER)                                                                  \
	X(tls_bypass, TLS_BYPASS)                                                                  \
	X(tls_key, TLS_KEY)                                                                        \
	X(self_tamper, SELF_TAMPER)

#define X(name, NAME) DRILL_##NAME,
enum drill_id { DRILLS(X) DRILL_MAX };
#undef X

struct facts_drill {
	char why[FACTS_WHY]; /* it could not be tried, or not be judged */
	bool alerted;
	char stopped_by
		[FACTS_NAME]; /* the rule that prevented what had to come first; empty: it was tried */
	char refused[FACTS_WHY]; /* why the attempt did not succeed, of one that was not reported */
	int64_t after_us;	 /* from just before the attempt until it was reported */
	char outcome[FACTS_NAME]; /* of the attempt, as the alert has it */
};

struct facts {
	bool root;
	int64_t now_s;
	char name[FACTS_NAME], exe[PATH_LEN], host_name[FACTS_WHY];
	int32_t pid;
	bool own_trust; /* the operator said what clients trust */
	struct facts_wire wire;
	struct facts_config config;
	struct facts_process process;
	struct facts_access access;
	struct facts_files files;
	struct facts_code code;
	struct facts_host host;
	struct facts_watch watch;
	bool drilled, drilled_live;
	char interrupted[FACTS_NAME]; /* the signal that ended the drills; empty: none did */
	char drilled_by[FACTS_WHY];   /* whose monitor had to report the drills */
	struct facts_drill drill[DRILL_MAX];
};

/*
 * Make texts end, and counts and answers be what they can be, of what another process wrote: wire and config. It asked a
 * server, which may have taken it over.
 */
void facts_bound(struct facts *f);

#endif
