#include "tests/two_sides.h"

#include "base/secret.h"
#include "session/mechanism.h"
#include "session/prime_stock.h"
#include "transport/pair_uri.h"
#include "transport/tcp.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#define PIN ((const uint8_t *)"123456")
#define PIN_LEN 6

/* What the person sees; several may ask at once. */
static void
show(struct two_sides *both, const struct ts_question *question)
{
    (void)pthread_mutex_lock(&both->shown);
    if (question->kind == TS_ASK_PAIR)
        (void)snprintf(both->shown_code, sizeof both->shown_code, "%s", question->code);
    if (question->kind == TS_ASK_REFRESH) {
        both->asked_refresh++;
        both->shown_locked = question->locked;
    }
    if (question->kind == TS_ASK_SIGN) {
        (void)snprintf(both->shown_label, sizeof both->shown_label, "%s", question->label);
        (void)snprintf(both->shown_mechanism, sizeof both->shown_mechanism, "%s", question->mechanism);
        both->shown_message_len = question->message_len < 64 ? question->message_len : 64;
        if (question->message)
            memcpy(both->shown_message, question->message, both->shown_message_len);
    }
    (void)pthread_mutex_unlock(&both->shown);
}

static enum ts_error
decide(void *ctx, const struct ts_question *question, uint64_t deadline_ms, bool (*cancelled)(void *), void *cancel_ctx)
{
    struct two_sides *both = ctx;
    enum ts_error verdict = both->verdict;

    both->asked++;
    show(both, question);
    while (verdict == TS_TIMEOUT && ts_now_ms(&both->p2.env) < deadline_ms && !cancelled(cancel_ctx))
        (void)poll(NULL, 0, 5);
    return verdict;
}

static void *
serve(void *argument)
{
    void **pair = argument;

    ts_mobile_serve(pair[0], (int)(intptr_t)pair[1]);
    free(pair);
    return NULL;
}

static void *
accept_loop(void *argument)
{
    struct two_sides *both = argument;
    int socket;

    while (ts_tcp_accept(&socket, NULL, 0, both->listener, UINT32_MAX) == TS_OK) {
        void **pair = calloc(2, sizeof *pair);
        pair[0] = both->mobile;
        pair[1] = (void *)(intptr_t)socket;
        ck_assert_uint_lt(both->server_count, 64);
        ck_assert_int_eq(pthread_create(&both->servers[both->server_count++], NULL, serve, pair), 0);
    }
    return NULL;
}

static void
import_primes(struct side *side, struct ts_store *store, const char *from)
{
    char spec[600];

    (void)snprintf(spec, sizeof spec, "%s/data/safe_primes.txt:%s", TS_TESTDIR, from);
    ck_assert_int_eq(ts_prime_stock_import(&side->env, store, side->keyring, side->token, 2048, spec), TS_OK);
}

void
two_sides_give_primes(struct two_sides *both, const char *p1_from, const char *p2_from)
{
    import_primes(&both->p1, ts_enterprise_store(both->enterprise), p1_from);
    import_primes(&both->p2, both->peer_store, p2_from);
}

static void
init_side(struct side *side, const char *folder, const char *name, const char *primes_from, struct ts_store *store)
{
    ck_assert_int_eq(ts_token_create(&side->token, store, NULL, name, PIN, PIN_LEN), TS_OK);
    ck_assert_int_eq(ts_token_unlock(&side->keyring, store, NULL, side->token, TS_USER_SO, PIN, PIN_LEN), TS_OK);
    ck_assert_int_eq(ts_mobile_prepare(&side->env, store, side->token, side->keyring, name), TS_OK);
    import_primes(side, store, primes_from);
    (void)folder;
}

static void
init_env(struct side *side, const char *folder, const char *file)
{
    ck_assert_int_eq(ts_env_init(&side->env), TS_OK);
    if (getenv("TS_TEST_LOG"))
        ts_log_to_stderr(&side->env.log, TS_LOG_DEBUG);
    (void)snprintf(side->path, sizeof side->path, "%s/%s", folder, file);
    side->config.store = side->path;
    side->config.peer.store = side->path;
    side->config.peer.name = (char *)(uintptr_t) "phone";
    side->config.modulus_bits = 2048;
    side->config.threads = 1;
    side->config.presignatures = 4;
    side->config.timeout.connect = 5000;
    side->config.timeout.step = 10000;
    side->config.timeout.approval = 10000;
}

void
two_sides_start_peer(struct two_sides *both)
{
    struct ts_mobile_options options = {
        .env = &both->p2.env,
        .config = &both->p2.config,
        .store = both->peer_store,
        .token = both->p2.token,
        .keyring = both->p2.keyring,
        .decide = decide,
        .ctx = both,
        .tamper = both->tamper,
    };

    both->server_count = 0;
    ck_assert_int_eq(ts_mobile_open(&both->mobile, &options), TS_OK);
    ck_assert_int_eq(
        ts_tcp_listen(&both->listener, &both->p2.env, both->address[0] ? both->address : "127.0.0.1:0"), TS_OK);
    (void)snprintf(both->address, sizeof both->address, "127.0.0.1:%u", ts_tcp_listener_port(both->listener));
    ck_assert_int_eq(pthread_create(&both->acceptor, NULL, accept_loop, both), 0);
}

static void *
dial_in(void *argument)
{
    struct two_sides *both = argument;

    ts_mobile_watch(both->mobile, both->p1.config.listen);
    return NULL;
}

void
two_sides_dial_in(struct two_sides *both)
{
    ck_assert_int_eq(pthread_create(&both->dialler, NULL, dial_in, both), 0);
    both->dialling = true;
}

void
two_sides_stop_peer(struct two_sides *both)
{
    ts_tcp_listener_stop(both->listener);
    pthread_join(both->acceptor, NULL);
    ts_mobile_shutdown(both->mobile);
    if (both->dialling)
        pthread_join(both->dialler, NULL);
    both->dialling = false;
    for (size_t i = 0; i < both->server_count; i++)
        pthread_join(both->servers[i], NULL);
    ts_tcp_listener_close(both->listener);
    ts_mobile_close(both->mobile);
    both->mobile = NULL;
}

void
two_sides_restart_enterprise(struct two_sides *both)
{
    ts_enterprise_shutdown(both->enterprise);
    ts_enterprise_close(both->enterprise);
    ck_assert_int_eq(ts_enterprise_open(&both->enterprise, &both->p1.env, &both->p1.config), TS_OK);
}

void
two_sides_start(struct two_sides *both)
{
    const char *base = getenv("TMPDIR");

    *both = (struct two_sides){.verdict = TS_OK, .shown = PTHREAD_MUTEX_INITIALIZER};
    (void)snprintf(both->folder, sizeof both->folder, "%s/tallystick-test-XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(both->folder));
    init_env(&both->p1, both->folder, "token.db");
    init_env(&both->p2, both->folder, "peer.db");
    ck_assert_int_eq(ts_enterprise_open(&both->enterprise, &both->p1.env, &both->p1.config), TS_OK);
    init_side(&both->p1, both->folder, "token", "0", ts_enterprise_store(both->enterprise));
    ck_assert_int_eq(ts_store_open(&both->peer_store, &both->p2.env, both->p2.path), TS_OK);
    init_side(&both->p2, both->folder, "phone", "2", both->peer_store);
    two_sides_start_peer(both);
}

static void
clear_side(struct side *side)
{
    char path[600];
    const char *const endings[] = {"", "-wal", "-shm", "-live", "-sessions", "-sessions-wal", "-sessions-shm"};

    ts_keyring_free(side->keyring);
    ts_env_clear(&side->env);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        (void)snprintf(path, sizeof path, "%s%s", side->path, endings[i]);
        (void)unlink(path);
    }
}

void
two_sides_stop(struct two_sides *both)
{
    ts_enterprise_shutdown(both->enterprise);
    ts_enterprise_close(both->enterprise);
    if (both->mobile)
        two_sides_stop_peer(both);
    ts_store_close(both->peer_store);
    clear_side(&both->p1);
    clear_side(&both->p2);
    ck_assert_int_eq(rmdir(both->folder), 0);
}

static enum ts_error
confirm(
    void *ctx, const char *code, const char *peer, uint64_t deadline_ms, bool (*cancelled)(void *), void *cancel_ctx)
{
    struct two_sides *both = ctx;

    (void)deadline_ms;
    (void)cancelled(cancel_ctx); /* its person may have said no already */
    ck_assert_str_eq(peer, "phone");
    (void)snprintf(both->own_code, sizeof both->own_code, "%s", code);
    return both->own_verdict;
}

enum ts_error
two_sides_pair(struct two_sides *both)
{
    struct ts_pair_uri uri;
    struct ts_peer_row row;
    char text[512];

    ck_assert_int_eq(ts_mobile_invite(&uri, &both->p2.env, both->peer_store, both->p2.token, both->p2.keyring,
                         both->address, (int64_t)time(NULL) + 60),
        TS_OK);
    ck_assert_int_eq(ts_pair_uri_encode(text, sizeof text, &uri), TS_OK);
    const struct ts_pair_job job = {.uri = text, .confirm = confirm, .ctx = both};
    return ts_pair_enterprise(&row, both->enterprise, both->p1.token, both->p1.keyring, &job);
}

/* r || s as OpenSSL wants it. */
static int
to_der(uint8_t *out, const uint8_t *signature, size_t len)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, (int)(len / 2), NULL);
    BIGNUM *s = BN_bin2bn(signature + len / 2, (int)(len / 2), NULL);

    ck_assert_int_eq(ECDSA_SIG_set0(sig, r, s), 1);
    int size = i2d_ECDSA_SIG(sig, &out);
    ECDSA_SIG_free(sig);
    return size;
}

static EVP_PKEY *
public_key(const struct ts_new_key *key, int nid)
{
    const char *group = OBJ_nid2sn(nid);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
        OSSL_PARAM_construct_octet_string(
            OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)key->public_key, key->public_key_len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void
check_low(const uint8_t *signature, size_t len, int nid)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
    BIGNUM *s = BN_bin2bn(signature + len / 2, (int)(len / 2), NULL);

    ck_assert_int_eq(BN_lshift1(s, s), 1);
    ck_assert_int_le(BN_cmp(s, EC_GROUP_get0_order(group)), 0);
    BN_free(s);
    EC_GROUP_free(group);
}

static void
check_signature(
    const struct ts_new_key *key, const uint8_t *signature, size_t len, const uint8_t *digest, size_t digest_len)
{
    static const int nids[] = {[TS_CURVE_P256] = NID_X9_62_prime256v1,
        [TS_CURVE_SECP256K1] = NID_secp256k1,
        [TS_CURVE_P384] = NID_secp384r1,
        [TS_CURVE_P521] = NID_secp521r1};
    uint8_t der[160];
    int der_len = to_der(der, signature, len);
    EVP_PKEY *pkey = public_key(key, nids[key->curve]);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

    ck_assert_int_eq(EVP_PKEY_verify_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, digest_len), 1);
    check_low(signature, len, nids[key->curve]);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

enum ts_error
two_sides_sign(struct two_sides *both, const struct ts_new_key *key, const char *message)
{
    uint8_t digest[TS_DIGEST_ROOM], signature[132];
    size_t digest_len = 0, len = sizeof signature;

    ck_assert_int_eq(ts_mechanism_digest(
                         digest, &digest_len, &both->p1.env, "ECDSA-SHA256", (const uint8_t *)message, strlen(message)),
        TS_OK);
    struct ts_sign_job job = {
        .wait_ms = both->wait_ms,
        .mechanism = "ECDSA-SHA256",
        .digest = digest,
        .digest_len = digest_len,
        .message = (const uint8_t *)message,
        .message_len = strlen(message),
        .asker = {.label = "signing key", .application = "test", .host = "here", .user = "me"},
    };
    memcpy(job.key, key->key, sizeof job.key);
    enum ts_error error = ts_sign_enterprise(signature, &len, both->enterprise, both->p1.token, both->p1.keyring, &job);
    if (error == TS_OK)
        check_signature(key, signature, len, digest, digest_len);
    return error;
}

enum ts_error
two_sides_make_key(struct two_sides *both, struct ts_new_key *key, enum ts_curve curve)
{
    const struct ts_keygen_job job = {
        .curve = curve, .asker = {.label = "signing key", .application = "test", .host = "here", .user = "me"}};

    return ts_keygen_enterprise(key, both->enterprise, both->p1.token, both->p1.keyring, &job);
}

struct ts_journal_row
two_sides_newest(struct ts_journal *journal, enum ts_journal_kind kind)
{
    const struct ts_journal_filter filter = {.kind = kind, .limit = 1};
    struct ts_journal_row *rows = NULL;
    size_t count = 0;

    ck_assert_int_eq(ts_journal_list(&rows, &count, journal, &filter), TS_OK);
    ck_assert_uint_eq(count, 1);
    struct ts_journal_row row = rows[0];
    free(rows);
    return row;
}
