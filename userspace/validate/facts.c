// SPDX-License-Identifier: BSD-2-Clause
/* facts.c - see facts.h. */
#include "validate/facts.h"

#include <stddef.h>

#define END(text) ((text)[sizeof(text) - 1] = '\0')
#define LIMIT(count, most) ((count) = (count) > (most) ? (most) : (count))
#define TRUTH(flag) ((flag) = *(const unsigned char *)&(flag) != 0)
#define ANSWER(known) ((known) = (unsigned int)(known) > YES ? UNKNOWN : (known))

static void bound_certificate(struct facts_certificate *c)
{
	END(c->chain);
	END(c->trust);
	END(c->names);
	END(c->key);
	END(c->digest);
	TRUTH(c->seen);
	TRUTH(c->strong_digest);
	TRUTH(c->self_signed);
	ANSWER(c->name_matches);
}

static void bound_address(struct facts_address *a)
{
	END(a->text);
	END(a->why);
	END(a->unsure);
	LIMIT(a->versions, FACTS_VERSIONS);
	LIMIT(a->suites, FACTS_SUITES);
	TRUTH(a->bus);
	TRUTH(a->plain);
	TRUTH(a->tls);
	TRUTH(a->suites_cut);
	TRUTH(a->compression);
	TRUTH(a->tickets);
	TRUTH(a->no_safe_renegotiation);
	ANSWER(a->renegotiates);
	if ((unsigned int)a->client_cert > CLIENT_CERT_REQUIRED)
		a->client_cert = CLIENT_CERT_UNKNOWN;
	bound_certificate(&a->cert);
}

void facts_bound(struct facts *f)
{
	struct facts_wire *w = &f->wire;
	struct facts_config *c = &f->config;

	LIMIT(w->addresses, FACTS_ADDRESSES);
	for (size_t i = 0; i < FACTS_ADDRESSES; i++)
		bound_address(&w->address[i]);
	END(w->why);
	END(w->unix_socket);
	END(w->open_why);
	END(w->trust_why);
	TRUTH(w->addresses_cut);
	TRUTH(w->same_network);
	ANSWER(w->open);
	ANSWER(w->config_open);
	for (size_t i = 0; i < DIR_MAX; i++)
		END(c->value[i]);
	option_bound(&c->options);
	END(c->why);
	END(c->file);
	END(c->role);
	END(c->info_why);
	END(c->acl_why);
	ANSWER(c->may_debug);
	ANSWER(c->may_module);
	ANSWER(c->may_config);
}
