/* Certificate and key of the server, through GnuTLS.
 *
 * Each connection borrows the identity that was the newest when it came, for as long as it lives. A reload
 * puts another one in its place; the older one goes with its last borrower. So a handshake never sees half of
 * a change, and nothing is freed under it. The mutex guards who is the newest and the counts; files are read
 * outside of it.
 */
#include "tls.h"

#include "fail.h"
#include "log.h"
#include "when.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct identity {
    gnutls_certificate_credentials_t credentials;
    unsigned users; /* connections, and being the newest */
};

struct tls {
    char *cert_path, *key_path;
    pthread_mutex_t mutex;
    struct identity *newest;
};

/* ---- loading ---- */

/* A whole file; give it back with forget. */
static enum tranche_code read_file(const char *option, const char *path, gnutls_datum_t *out,
                                   struct tranche_err *err)
{
    errno = 0;
    int status = gnutls_load_file(path, out);
    if (status < 0)
        return fail(err, TRANCHE_INVALID, "%s: \"%s\" cannot be read: %s", option, path,
                    errno != 0 ? strerror(errno) : gnutls_strerror(status));
    return TRANCHE_OK;
}

/* It may have been a key. */
static void forget(gnutls_datum_t *file)
{
    if (file->data != NULL)
        gnutls_memset(file->data, 0, file->size);
    gnutls_free(file->data);
}

struct chain {
    gnutls_x509_crt_t *certificates; /* the server's own first */
    unsigned count;
};

static void chain_free(struct chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++)
        gnutls_x509_crt_deinit(chain->certificates[i]);
    gnutls_free(chain->certificates);
}

static enum tranche_code load_chain(const char *path, struct chain *chain, struct tranche_err *err)
{
    gnutls_datum_t file = { 0 };
    enum tranche_code code = read_file("tls_cert", path, &file, err);
    if (code != TRANCHE_OK)
        return code;
    int status =
        gnutls_x509_crt_list_import2(&chain->certificates, &chain->count, &file, GNUTLS_X509_FMT_PEM, 0);
    forget(&file);
    if (status < 0)
        return fail(err, TRANCHE_INVALID, "tls_cert: \"%s\" holds no PEM certificate: %s", path,
                    gnutls_strerror(status));
    return TRANCHE_OK;
}

static enum tranche_code load_key(const char *path, gnutls_x509_privkey_t key, struct tranche_err *err)
{
    gnutls_datum_t file = { 0 };
    enum tranche_code code = read_file("tls_key", path, &file, err);
    if (code != TRANCHE_OK)
        return code;
    int status = gnutls_x509_privkey_import2(key, &file, GNUTLS_X509_FMT_PEM, NULL, 0);
    forget(&file);
    if (status < 0)
        return fail(err, TRANCHE_INVALID, "tls_key: \"%s\" holds no PEM key without a password: %s", path,
                    gnutls_strerror(status));
    return TRANCHE_OK;
}

static void tell(const char *path, gnutls_x509_crt_t certificate)
{
    char quoted[LOG_QUOTED_BYTES], until[WHEN_TEXT_BYTES];
    int64_t until_us = (int64_t)gnutls_x509_crt_get_expiration_time(certificate) * 1000000;
    bool is_over = until_us < when_now_us();
    when_rfc3339(until_us, until);
    log_event(is_over ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "tls",
              is_over ? "certificate has expired" : "certificate loaded", "file=%s until=%s",
              log_quote(path, quoted), until);
}

static void identity_free(struct identity *identity)
{
    if (identity->credentials != NULL)
        gnutls_certificate_free_credentials(identity->credentials);
    free(identity);
}

static enum tranche_code no_memory(struct tranche_err *err)
{
    return fail(err, TRANCHE_NOMEM, "%s", tranche_code_text(TRANCHE_NOMEM));
}

/* Copies both into the identity. */
static enum tranche_code join(const struct tls *tls, struct identity *identity, const struct chain *chain,
                              gnutls_x509_privkey_t key, struct tranche_err *err)
{
    int status =
        gnutls_certificate_set_x509_key(identity->credentials, chain->certificates, (int)chain->count, key);
    if (status == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return fail(err, TRANCHE_INVALID, "tls_key: \"%s\" is not the key of the certificate \"%s\"",
                    tls->key_path, tls->cert_path);
    if (status < 0)
        return fail(err, TRANCHE_INVALID, "tls_cert: \"%s\" cannot be used: %s", tls->cert_path,
                    gnutls_strerror(status));
    tell(tls->cert_path, chain->certificates[0]);
    return TRANCHE_OK;
}

/* A new identity, whose first user is the caller. */
static enum tranche_code load(const struct tls *tls, struct identity **out, struct tranche_err *err)
{
    struct chain chain = { 0 };
    gnutls_x509_privkey_t key = NULL;
    struct identity *identity = calloc(1, sizeof *identity);
    enum tranche_code code = TRANCHE_OK;
    if (identity == NULL || gnutls_certificate_allocate_credentials(&identity->credentials) < 0 ||
        gnutls_x509_privkey_init(&key) < 0)
        code = no_memory(err);
    if (code == TRANCHE_OK)
        code = load_chain(tls->cert_path, &chain, err);
    if (code == TRANCHE_OK)
        code = load_key(tls->key_path, key, err);
    if (code == TRANCHE_OK)
        code = join(tls, identity, &chain, key, err);

    if (code == TRANCHE_OK) {
        identity->users = 1;
        *out = identity;
    } else if (identity != NULL)
        identity_free(identity);
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    chain_free(&chain);
    return code;
}

/* ---- open, reload, close ---- */

enum tranche_code tls_open(struct tls **out, const char *cert_path, const char *key_path,
                           struct tranche_err *err)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return no_memory(err);
    pthread_mutex_init(&tls->mutex, NULL);
    tls->cert_path = strdup(cert_path);
    tls->key_path = strdup(key_path);
    bool has_paths = tls->cert_path != NULL && tls->key_path != NULL;
    enum tranche_code code = has_paths ? load(tls, &tls->newest, err) : no_memory(err);
    if (code != TRANCHE_OK) {
        tls_close(tls);
        return code;
    }
    *out = tls;
    return TRANCHE_OK;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->newest != NULL) {
        assert(tls->newest->users == 1);
        tls_release(tls, tls->newest);
    }
    pthread_mutex_destroy(&tls->mutex);
    free(tls->cert_path);
    free(tls->key_path);
    free(tls);
}

enum tranche_code tls_reload(struct tls *tls, struct tranche_err *err)
{
    struct identity *identity;
    enum tranche_code code = load(tls, &identity, err);
    if (code != TRANCHE_OK)
        return code;
    pthread_mutex_lock(&tls->mutex);
    struct identity *older = tls->newest;
    tls->newest = identity;
    pthread_mutex_unlock(&tls->mutex);
    tls_release(tls, older);
    return TRANCHE_OK;
}

/* ---- lending ---- */

struct identity *tls_identify(struct tls *tls, gnutls_session_t session)
{
    pthread_mutex_lock(&tls->mutex);
    struct identity *identity = tls->newest;
    identity->users++;
    pthread_mutex_unlock(&tls->mutex);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
    return identity;
}

void tls_release(struct tls *tls, struct identity *identity)
{
    pthread_mutex_lock(&tls->mutex);
    assert(identity->users > 0);
    bool is_last = --identity->users == 0;
    pthread_mutex_unlock(&tls->mutex);
    if (is_last)
        identity_free(identity);
}

int tls_no_identity(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
                    unsigned *chain_length, gnutls_privkey_t *key)
{
    (void)session, (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    *chain = NULL;
    *chain_length = 0;
    *key = NULL;
    return -1;
}
