#include "store/hsm.h"

#include "base/secret.h"
#include "store/hsm_session.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#define IV_BYTES 12
#define TAG_BYTES 16
/* Longest value that is sealed; token keys are 32 bytes. */
#define PLAIN_MAX 4096

/* PKCS#11 3.0; this p11-kit header is older. */
#define RV_AEAD_DECRYPT_FAILED 0x42UL

/* --- the URI --- */

static const char *
missing_part(P11KitUri *uri)
{
    const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
    const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);

    if (p11_kit_uri_any_unrecognized(uri))
        return "has a part that is not known";
    if (token->label[0] == 0 && token->serialNumber[0] == 0)
        return "names no token (token= or serial=)";
    if (!p11_kit_uri_get_attribute(uri, CKA_LABEL) && !p11_kit_uri_get_attribute(uri, CKA_ID))
        return "names no key (object= or id=)";
    if (class && *(const CK_OBJECT_CLASS *)class->pValue != CKO_SECRET_KEY)
        return "is not that of a secret key (type=secret-key)";
    if (!p11_kit_uri_get_module_path(uri) && !p11_kit_uri_get_module_name(uri))
        return "names no module (module-path= or module-name=)";
    if (!p11_kit_uri_get_pin_source(uri) && !p11_kit_uri_get_pin_value(uri))
        return "says nowhere where the PIN is (pin-source= or pin-value=)";
    return NULL;
}

/* Move a PIN that stands in the URI to secret memory. */
static enum ts_error
take_pin_value(struct ts_hsm *hsm)
{
    union {
        const char *in;
        char *out;
    } value = {p11_kit_uri_get_pin_value(hsm->uri)};

    if (!value.in)
        return TS_OK;
    size_t len = strlen(value.in);
    enum ts_error result = ts_buf_put(&hsm->pin_value, value.in, len);
    ts_wipe(value.out, len); /* p11-kit would free it as it is */
    p11_kit_uri_set_pin_value(hsm->uri, NULL);
    return result == TS_FORMAT ? TS_USAGE : result;
}

static enum ts_error
parse_uri(struct ts_hsm *hsm, const char *text)
{
    int rc = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, hsm->uri);

    /* The text may hold a PIN: it is not logged. */
    if (rc != P11_KIT_URI_OK) {
        ts_log(hsm->env, TS_LOG_ERROR, "the URI of the HSM's key does not parse: %s", p11_kit_uri_message(rc));
        return rc == P11_KIT_URI_UNEXPECTED ? TS_INTERNAL : TS_USAGE;
    }
    const char *missing = missing_part(hsm->uri);
    if (missing) {
        ts_log(hsm->env, TS_LOG_ERROR, "the URI of the HSM's key %s", missing);
        return TS_USAGE;
    }
    return take_pin_value(hsm);
}

enum ts_error
ts_hsm_new(struct ts_hsm **out, const struct ts_hsm_options *options)
{
    struct ts_hsm *hsm = calloc(1, sizeof *hsm);

    *out = NULL;
    if (!hsm)
        return TS_INTERNAL;
    hsm->env = options->env;
    ts_buf_init_secret(&hsm->pin_value, TS_PIN_MAX);
    ts_buf_init_secret(&hsm->refused_pin, TS_PIN_MAX);
    (void)pthread_mutex_init(&hsm->mutex, NULL);
    hsm->uri = p11_kit_uri_new();
    enum ts_error result = hsm->uri ? parse_uri(hsm, options->uri) : TS_INTERNAL;
    if (result != TS_OK) {
        ts_hsm_free(hsm);
        return result;
    }
    *out = hsm;
    return TS_OK;
}

void
ts_hsm_abandon(struct ts_hsm *hsm)
{
    if (!hsm)
        return;
    p11_kit_uri_free(hsm->uri);
    ts_buf_clear(&hsm->pin_value);
    ts_buf_clear(&hsm->refused_pin);
    free(hsm);
}

void
ts_hsm_free(struct ts_hsm *hsm)
{
    if (!hsm)
        return;
    ts_hsm_disconnect(hsm);
    (void)pthread_mutex_destroy(&hsm->mutex);
    ts_hsm_abandon(hsm);
}

/* --- one operation with the key --- */

/* What to do once the key is at hand; `arg` is the operation's own. */
typedef enum ts_error (*operation)(struct ts_hsm *hsm, void *arg);

static enum ts_error
try_once(struct ts_hsm *hsm, operation run, void *arg)
{
    enum ts_error result = ts_hsm_connect(hsm, false);

    if (result == TS_OK)
        result = ts_hsm_find_key(hsm);
    return result == TS_OK ? run(hsm, arg) : result;
}

/* A session may have been lost since its last use; then everything is opened again, once. */
static enum ts_error
with_key(struct ts_hsm *hsm, operation run, void *arg)
{
    (void)pthread_mutex_lock(&hsm->mutex);
    bool fresh = hsm->session == CK_INVALID_HANDLE;
    enum ts_error result = try_once(hsm, run, arg);
    if (result != TS_OK && hsm->lost) {
        ts_hsm_disconnect(hsm);
        if (!fresh) {
            ts_log(hsm->env, TS_LOG_INFO, "HSM: the session was lost, connecting again");
            result = try_once(hsm, run, arg);
        }
    }
    (void)pthread_mutex_unlock(&hsm->mutex);
    return result;
}

static enum ts_error
nothing(struct ts_hsm *hsm, void *arg)
{
    (void)hsm;
    (void)arg;
    return TS_OK;
}

static void
forget_key(struct ts_hsm *hsm)
{
    (void)pthread_mutex_lock(&hsm->mutex);
    hsm->key = CK_INVALID_HANDLE;
    (void)pthread_mutex_unlock(&hsm->mutex);
}

enum ts_error
ts_hsm_check(struct ts_hsm *hsm)
{
    forget_key(hsm); /* to look anew */
    return with_key(hsm, nothing, NULL);
}

/* --- making the key --- */

static enum ts_error
generate_key(struct ts_hsm *hsm)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG bytes = 32;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE template[16] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_VALUE_LEN, &bytes, sizeof bytes},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_SIGN, &no, sizeof no},
        {CKA_VERIFY, &no, sizeof no},
        {CKA_WRAP, &no, sizeof no},
        {CKA_UNWRAP, &no, sizeof no},
    };
    CK_ULONG parts = 13;
    static const CK_ATTRIBUTE_TYPE names[] = {CKA_LABEL, CKA_ID};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const CK_ATTRIBUTE *part = p11_kit_uri_get_attribute(hsm->uri, names[i]);
        if (part)
            template[parts++] = *part;
    }
    CK_RV rv = hsm->module->C_GenerateKey(hsm->session, &mechanism, template, parts, &hsm->key);
    hsm->key = CK_INVALID_HANDLE; /* found and checked like any other at its first use */
    return rv == CKR_OK ? TS_OK : ts_hsm_failed(hsm, "C_GenerateKey", rv);
}

enum ts_error
ts_hsm_generate(struct ts_hsm *hsm)
{
    (void)pthread_mutex_lock(&hsm->mutex);
    enum ts_error result = ts_hsm_connect(hsm, true);
    if (result == TS_OK) {
        hsm->key = CK_INVALID_HANDLE;
        result = ts_hsm_find_key(hsm);
        if (result == TS_OK || result == TS_STORAGE)
            result = TS_EXISTS;
        else if (result == TS_NOT_FOUND)
            result = generate_key(hsm);
    }
    if (result != TS_OK && hsm->lost)
        ts_hsm_disconnect(hsm);
    (void)pthread_mutex_unlock(&hsm->mutex);
    return result;
}

/* --- AES-GCM: PKCS#11 2.40 mechanisms, 2.12 --- */

struct crypt {
    uint8_t *out;
    CK_ULONG out_len; /* room, then the bytes written */
    const uint8_t *iv, *in, *aad;
    size_t in_len, aad_len;
};

/* Cryptoki takes pointers without const and only reads what is behind them. */
static CK_BYTE *
reads_only(const uint8_t *bytes)
{
    union {
        const uint8_t *in;
        CK_BYTE *out;
    } both = {bytes};

    return both.out;
}

static CK_GCM_PARAMS
gcm_params(const struct crypt *crypt)
{
    return (CK_GCM_PARAMS){.pIv = reads_only(crypt->iv),
        .ulIvLen = IV_BYTES,
        .ulIvBits = 8 * IV_BYTES,
        .pAAD = reads_only(crypt->aad),
        .ulAADLen = crypt->aad_len,
        .ulTagBits = 8 * TAG_BYTES};
}

static enum ts_error
run_encrypt(struct ts_hsm *hsm, void *arg)
{
    struct crypt *crypt = arg;
    CK_GCM_PARAMS params = gcm_params(crypt);
    CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof params};
    CK_ULONG len = crypt->out_len;

    CK_RV rv = hsm->module->C_EncryptInit(hsm->session, &mechanism, hsm->key);
    if (rv != CKR_OK)
        return ts_hsm_failed(hsm, "C_EncryptInit", rv);
    rv = hsm->module->C_Encrypt(hsm->session, reads_only(crypt->in), crypt->in_len, crypt->out, &len);
    if (rv == CKR_OK && len != crypt->in_len + TAG_BYTES)
        rv = CKR_GENERAL_ERROR;
    return rv == CKR_OK ? TS_OK : ts_hsm_failed(hsm, "C_Encrypt", rv);
}

static CK_RV
decrypt_once(struct ts_hsm *hsm, struct crypt *crypt)
{
    CK_GCM_PARAMS params = gcm_params(crypt);
    CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof params};

    CK_RV rv = hsm->module->C_DecryptInit(hsm->session, &mechanism, hsm->key);
    if (rv != CKR_OK)
        return rv;
    return hsm->module->C_Decrypt(hsm->session, reads_only(crypt->in), crypt->in_len, crypt->out, &crypt->out_len);
}

/* HSMs answer a wrong tag in many ways, some of them just "general error". Whether the key works at all tells a value
   that does not belong to it from an HSM in trouble. */
static bool
key_works(struct ts_hsm *hsm)
{
    static const uint8_t probe[16];
    uint8_t iv[IV_BYTES], sealed[sizeof probe + TAG_BYTES], opened[sizeof sealed];
    struct crypt there = {.out = sealed, .out_len = sizeof sealed, .iv = iv, .in = probe, .in_len = sizeof probe};
    struct crypt back = {.out = opened, .out_len = sizeof opened, .iv = iv, .in = sealed, .in_len = sizeof sealed};

    return ts_random(hsm->env, iv, sizeof iv) == TS_OK && run_encrypt(hsm, &there) == TS_OK &&
           decrypt_once(hsm, &back) == CKR_OK && back.out_len == sizeof probe &&
           memcmp(opened, probe, sizeof probe) == 0;
}

static enum ts_error
judge_decrypt(struct ts_hsm *hsm, CK_RV rv)
{
    bool wrong = rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE ||
                 rv == CKR_SIGNATURE_INVALID || rv == RV_AEAD_DECRYPT_FAILED;

    if (!wrong && (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DATA_INVALID))
        wrong = key_works(hsm);
    if (!wrong)
        return ts_hsm_failed(hsm, "C_Decrypt", rv);
    ts_log(
        hsm->env, TS_LOG_ERROR, "HSM: its key does not open this value: it is another key, or the value was changed");
    return TS_STORAGE;
}

static enum ts_error
run_decrypt(struct ts_hsm *hsm, void *arg)
{
    struct crypt *crypt = arg;
    CK_ULONG room = crypt->out_len;

    CK_RV rv = decrypt_once(hsm, crypt);
    if (rv == CKR_OK && crypt->out_len == crypt->in_len - TAG_BYTES)
        return TS_OK;
    crypt->out_len = room;
    return rv == CKR_OK ? ts_hsm_failed(hsm, "C_Decrypt", CKR_GENERAL_ERROR) : judge_decrypt(hsm, rv);
}

enum ts_error
ts_hsm_seal(
    struct ts_buf *out, struct ts_hsm *hsm, const uint8_t *plain, size_t len, const uint8_t *aad, size_t aad_len)
{
    size_t before = out->len;

    if (len > PLAIN_MAX)
        return TS_USAGE;
    uint8_t *place = ts_buf_extend(out, IV_BYTES + len + TAG_BYTES);
    if (!place)
        return ts_buf_error(out);
    struct crypt crypt = {.out = place + IV_BYTES,
        .out_len = len + TAG_BYTES,
        .iv = place,
        .in = plain,
        .in_len = len,
        .aad = aad,
        .aad_len = aad_len};
    enum ts_error result = ts_random(hsm->env, place, IV_BYTES);
    if (result == TS_OK)
        result = with_key(hsm, run_encrypt, &crypt);
    if (result != TS_OK)
        out->len = before;
    return result;
}

enum ts_error
ts_hsm_open(
    struct ts_buf *out, struct ts_hsm *hsm, const uint8_t *sealed, size_t len, const uint8_t *aad, size_t aad_len)
{
    if (len < IV_BYTES + TAG_BYTES || len > PLAIN_MAX + IV_BYTES + TAG_BYTES)
        return TS_STORAGE;
    /* Some modules want room for the tag too. */
    uint8_t *plain = ts_secret_new(len);
    if (!plain)
        return TS_INTERNAL;
    struct crypt crypt = {.out = plain,
        .out_len = len,
        .iv = sealed,
        .in = sealed + IV_BYTES,
        .in_len = len - IV_BYTES,
        .aad = aad,
        .aad_len = aad_len};
    enum ts_error result = with_key(hsm, run_decrypt, &crypt);
    if (result == TS_OK)
        result = ts_buf_put(out, plain, crypt.out_len);
    ts_secret_free(plain);
    return result;
}
