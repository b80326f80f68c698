/* What the server proves itself with: a certificate chain and its key, from two PEM files that may be loaded
 * anew while connections go on. */
#ifndef TLS_H
#define TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <tranche/err.h>

/* TLS 1.2 and 1.3; without RSA key exchange, since who got the key could then read what was recorded before.
 */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"

struct tls;
struct identity; /* one certificate and its key, as they were loaded */

/* Loads both files; the paths are copied. TRANCHE_INVALID names the option, the file and what is wrong with
 * it. */
enum tranche_code tls_open(struct tls **tls, const char *cert_path, const char *key_path,
                           struct tranche_err *err);
/* All identities must have been released; NULL is fine. */
void tls_close(struct tls *tls);

/* Loads the same files again, for the handshakes to come. After a failure all stays as it was. Any thread,
 * one at a time. */
enum tranche_code tls_reload(struct tls *tls, struct tranche_err *err);

/* Gives a session whose handshake has not begun the newest identity, which then lives until it is released:
 * when the session is no more. Any thread. */
struct identity *tls_identify(struct tls *tls, gnutls_session_t session);
void tls_release(struct tls *tls, struct identity *identity);

/* For a daemon whose sessions all get an identity from us, and which insists on having one itself: there is
 * none. */
gnutls_certificate_retrieve_function2 tls_no_identity;

#endif
