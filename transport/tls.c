#include "transport/tls.h"

#include "base/secret.h"
#include "transport/identity_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define SIGNATURES "ECDSA+SHA256"
#define GROUPS "X25519:P-256"
#define EXPORT_BYTES 32

struct ts_tls {
    const struct ts_identity *identity;
    SSL_CTX *ctx;
    SSL *ssl; /* owns both BIOs */
    BIO *in;
    BIO *out;
    struct ts_tls_trust trust;
    uint8_t pin[TS_KEY_HASH_BYTES];
    uint8_t peer[TS_KEY_HASH_BYTES];
    bool refused;
    bool closed;
    char words[TS_TLS_WORDS_BYTES];
};

static void
shorten(char out[17], const uint8_t hash[TS_KEY_HASH_BYTES])
{
    for (int i = 0; i < 8; i++)
        (void)snprintf(out + (ptrdiff_t)2 * i, 3, "%02x", hash[i]);
}

static bool
judge_hash(struct ts_tls *tls, const uint8_t hash[TS_KEY_HASH_BYTES])
{
    char seen[17], expected[17];

    shorten(seen, hash);
    if (!tls->trust.pin) {
        if (tls->trust.admit(tls->trust.ctx, hash))
            return true;
        tls->refused = true;
        (void)snprintf(tls->words, sizeof tls->words,
            "the key %s... is not admitted here; pair the device if it is known to you", seen);
        return false;
    }
    if (ts_equal(hash, tls->pin, TS_KEY_HASH_BYTES))
        return true;
    shorten(expected, tls->pin);
    (void)snprintf(tls->words, sizeof tls->words,
        "wrong certificate: the key is %s..., paired is %s...; somebody else answers there, or the device was set up "
        "anew and must be paired again",
        seen, expected);
    return false;
}

/* Replaces OpenSSL's verification: there is no authority and no chain, only one certificate whose key is known.
 * That the other side owns the key is shown by its signature on the handshake, which OpenSSL checks. */
static int
judge_certificate(X509_STORE_CTX *store, void *arg)
{
    struct ts_tls *tls = arg;
    uint8_t hash[TS_KEY_HASH_BYTES];
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);

    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    if (!certificate || sk_X509_num(sent) != 1 ||
        ts_certificate_check(hash, tls->identity->env, certificate) != TS_OK) {
        (void)snprintf(tls->words, sizeof tls->words,
            "wrong certificate: not a single self-signed P-256 one; the other side is not a tallystick device");
        return 0;
    }
    if (!judge_hash(tls, hash))
        return 0;
    memcpy(tls->peer, hash, sizeof hash);
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static bool
configure(struct ts_tls *tls)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(tls->identity->env->libctx, NULL, TLS_method());

    tls->ctx = ctx;
    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1)
        return false;
    /* No resumption: every connection proves both keys again. */
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_num_tickets(ctx, 0) != 1)
        return false;
    if (SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) != 1 || SSL_CTX_set1_client_sigalgs_list(ctx, SIGNATURES) != 1 ||
        SSL_CTX_set1_groups_list(ctx, GROUPS) != 1)
        return false;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, judge_certificate, tls);
    return SSL_CTX_use_certificate(ctx, tls->identity->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(ctx, tls->identity->key) == 1;
}

static bool
connect_bios(struct ts_tls *tls, bool server)
{
    tls->ssl = SSL_new(tls->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        return false;
    }
    (void)BIO_set_mem_eof_return(tls->in, -1); /* empty means "later", not "over" */
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    if (server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    return true;
}

enum ts_error
ts_tls_new(struct ts_tls **out, const struct ts_identity *identity, bool server, const struct ts_tls_trust *trust)
{
    *out = NULL;
    struct ts_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return TS_INTERNAL;
    tls->identity = identity;
    tls->trust = *trust;
    if (trust->pin) {
        memcpy(tls->pin, trust->pin, sizeof tls->pin);
        tls->trust.pin = tls->pin;
    }
    ERR_set_mark();
    bool good = configure(tls) && connect_bios(tls, server);
    ERR_pop_to_mark();
    if (!good) {
        ts_tls_free(tls);
        return TS_INTERNAL;
    }
    *out = tls;
    return TS_OK;
}

void
ts_tls_free(struct ts_tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->ctx);
    free(tls);
}

enum ts_error
ts_tls_feed(struct ts_tls *tls, const uint8_t *bytes, size_t len)
{
    size_t written = 0;

    ERR_set_mark();
    int good = BIO_write_ex(tls->in, bytes, len, &written);
    ERR_pop_to_mark();
    return good == 1 && written == len ? TS_OK : TS_INTERNAL;
}

enum ts_error
ts_tls_take(struct ts_buf *out, struct ts_tls *tls)
{
    size_t waiting = BIO_ctrl_pending(tls->out);
    size_t taken = 0;

    if (waiting == 0)
        return ts_buf_error(out);
    uint8_t *place = ts_buf_extend(out, waiting);
    if (!place)
        return ts_buf_error(out);
    if (BIO_read_ex(tls->out, place, waiting, &taken) != 1 || taken != waiting)
        return TS_INTERNAL;
    return TS_OK;
}

/* The reasons of libssl that a person can do something about. */
static const struct {
    int reason;
    const char *words;
} reasons[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, "protocol version: the other side speaks an older TLS than 1.3; update it"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "protocol version: the other side does not speak TLS 1.3; update it"},
    {SSL_R_WRONG_VERSION_NUMBER, "protocol version: what answers does not speak TLS; check the address and port"},
    {SSL_R_WRONG_SSL_VERSION, "protocol version: the other side speaks an older TLS than 1.3; update it"},
    {SSL_R_HTTP_REQUEST, "protocol version: plain HTTP, not TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "what answers does not speak TLS; check the address and port"},
    {SSL_R_BAD_RECORD_TYPE, "what answers does not speak TLS; check the address and port"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "no certificate was shown; only paired devices may connect"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the other side refused our certificate; pair again"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the other side refused our certificate; pair again"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the other side refused our certificate; pair again"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the other side got no certificate from us"},
};

static void
explain(struct ts_tls *tls)
{
    unsigned long code = ERR_peek_last_error();
    int reason = ERR_GET_REASON(code);

    if (tls->words[0])
        return;
    for (size_t i = 0; ERR_GET_LIB(code) == ERR_LIB_SSL && i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].reason == reason) {
            (void)snprintf(tls->words, sizeof tls->words, "%s", reasons[i].words);
            return;
        }
    const char *text = ERR_reason_error_string(code);
    (void)snprintf(tls->words, sizeof tls->words, "TLS failed: %s", text ? text : "no reason given");
}

/* Turn the result of a libssl call into ours. The error queue holds what that call left. */
static enum ts_error
settle(struct ts_tls *tls, int result)
{
    int error = SSL_get_error(tls->ssl, result);

    if (error == SSL_ERROR_WANT_READ)
        return TS_NOT_FOUND;
    if (error == SSL_ERROR_ZERO_RETURN) {
        tls->closed = true;
        (void)snprintf(tls->words, sizeof tls->words, "the other side closed the connection");
    }
    explain(tls);
    return tls->refused ? TS_REFUSED : TS_IO;
}

/* SSL_get_error takes any error in the thread's queue, be it the host's, for the call's own, and libssl clears the
 * queue in its handshake anyway (SSL_get_error(3)). So it is cleared before, and after, to leave nothing of ours. */
enum ts_error
ts_tls_handshake(struct ts_tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    enum ts_error error = result == 1 ? TS_OK : settle(tls, result);
    ERR_clear_error();
    return error;
}

enum ts_error
ts_tls_read(struct ts_buf *out, struct ts_tls *tls, size_t max)
{
    size_t start = out->len;
    size_t taken = 0;
    uint8_t *place = ts_buf_extend(out, max);

    if (!place)
        return ts_buf_error(out);
    ERR_clear_error();
    int result = SSL_read_ex(tls->ssl, place, max, &taken);
    enum ts_error error = result == 1 ? TS_OK : settle(tls, result);
    ERR_clear_error();
    out->len = start + (error == TS_OK ? taken : 0);
    return error;
}

enum ts_error
ts_tls_write(struct ts_tls *tls, const uint8_t *bytes, size_t len)
{
    size_t written = 0;

    if (len == 0)
        return TS_OK;
    ERR_clear_error();
    int result = SSL_write_ex(tls->ssl, bytes, len, &written);
    enum ts_error error = result == 1 && written == len ? TS_OK : TS_IO;
    if (error != TS_OK)
        explain(tls);
    ERR_clear_error();
    return error;
}

void
ts_tls_close(struct ts_tls *tls)
{
    if (!SSL_is_init_finished(tls->ssl))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

bool
ts_tls_closed(const struct ts_tls *tls)
{
    return tls->closed;
}

const char *
ts_tls_words(const struct ts_tls *tls)
{
    return tls->words;
}

void
ts_tls_peer(const struct ts_tls *tls, uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    memcpy(key_hash, tls->peer, TS_KEY_HASH_BYTES);
}

enum ts_error
ts_tls_exporter(struct ts_tls *tls, const char *label, uint8_t out32[32])
{
    ERR_set_mark();
    int good =
        SSL_export_keying_material(tls->ssl, out32, EXPORT_BYTES, label, strlen(label), (const uint8_t *)"", 0, 1);
    ERR_pop_to_mark();
    return good == 1 ? TS_OK : TS_INTERNAL;
}
