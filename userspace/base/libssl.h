/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libssl.h - the functions of libssl, loaded where TLS is spoken, not linked: a uprobe that somebody sets in the library, to trace
 * servers, is then none in the monitor, unless that has a sink which needs TLS.
 */
#ifndef CACHEWARDEN_LIBSSL_H
#define CACHEWARDEN_LIBSSL_H

#include <openssl/ssl.h>
#include <stdbool.h>

#define LIBSSL_FUNCTIONS(X)                                                                        \
	X(OPENSSL_init_ssl)                                                                        \
	X(SSL_CTX_ctrl)                                                                            \
	X(SSL_CTX_free)                                                                            \
	X(SSL_CTX_get0_certificate)                                                                \
	X(SSL_CTX_get0_privatekey)                                                                 \
	X(SSL_CTX_get_cert_store)                                                                  \
	X(SSL_CTX_load_verify_locations)                                                           \
	X(SSL_CTX_new)                                                                             \
	X(SSL_CTX_set1_cert_store)                                                                 \
	X(SSL_CTX_set_cipher_list)                                                                 \
	X(SSL_CTX_set_client_cert_cb)                                                              \
	X(SSL_CTX_set_default_verify_paths)                                                        \
	X(SSL_CTX_set_security_level)                                                              \
	X(SSL_CTX_set_verify)                                                                      \
	X(SSL_CTX_use_PrivateKey)                                                                  \
	X(SSL_CTX_use_cert_and_key)                                                                \
	X(SSL_CTX_use_certificate_chain_file)                                                      \
	X(SSL_connect)                                                                             \
	X(SSL_ctrl)                                                                                \
	X(SSL_do_handshake)                                                                        \
	X(SSL_free)                                                                                \
	X(SSL_get0_param)                                                                          \
	X(SSL_get_error)                                                                           \
	X(SSL_get_ex_data)                                                                         \
	X(SSL_get_peer_cert_chain)                                                                 \
	X(SSL_get_verify_result)                                                                   \
	X(SSL_get_wbio)                                                                            \
	X(SSL_new)                                                                                 \
	X(SSL_peek)                                                                                \
	X(SSL_read)                                                                                \
	X(SSL_renegotiate)                                                                         \
	X(SSL_set0_rbio)                                                                           \
	X(SSL_set_ex_data)                                                                         \
	X(SSL_set_fd)                                                                              \
	X(SSL_set_rfd)                                                                             \
	X(SSL_set_wfd)                                                                             \
	X(SSL_shutdown)                                                                            \
	X(SSL_version)                                                                             \
	X(SSL_write)                                                                               \
	X(TLS_client_method)

struct libssl {
#define X(name) typeof(name) *name;
	LIBSSL_FUNCTIONS(X)
#undef X
};

/* Its functions, once libssl_load() returned true. */
extern struct libssl libssl;

/* False if there is no libssl of the version that cachewarden was built with. */
bool libssl_load(void);

/* Why OpenSSL failed last, by its own table: nothing that a peer sent. otherwise, if it does not say. */
const char *libssl_reason(const char *otherwise);

/* A pem_password_cb that has none: OpenSSL would ask on the terminal. */
int libssl_no_passphrase(char *buf, int size, int writing, void *ctx);

#endif
