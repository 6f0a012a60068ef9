#include "pkcs11/attribute.h"
#include "pkcs11/call.h"
#include "pkcs11/errors.h"
#include "pkcs11/rv.h"
#include "pkcs11/template.h"

#include "base/text.h"

#include <string.h>

#include <openssl/evp.h>

/* A pair on its way: what the templates said, then what the run with the peer adds. */
struct pair {
    const struct ts_env *env;
    const struct ts_curve_info *curve;
    struct ts_login *login;
    CK_SLOT_ID slot;
    struct ts_attrs public_key, private_key;
    bool default_id;                 /**< neither template gave CKA_ID */
    uint8_t session_id[TS_ID_BYTES]; /**< in the journal */
    char partner[TS_NAME_MAX];       /**< "": whoever the token has */
    uint32_t wait_ms;
    uint64_t public_row, private_row; /**< of those that belong to the token, once stored */
    struct ts_new_key made;
};

static void
pair_clear(struct pair *pair)
{
    ts_attrs_clear(&pair->public_key);
    ts_attrs_clear(&pair->private_key);
}

/* --- templates: all that can be refused is refused before the peer hears of it --- */

static CK_RV
set_identity(struct ts_attrs *attrs, CK_OBJECT_CLASS object_class)
{
    if (ts_attrs_ulong(attrs, CKA_CLASS, object_class) != object_class ||
        ts_attrs_ulong(attrs, CKA_KEY_TYPE, CKK_EC) != CKK_EC)
        return CKR_TEMPLATE_INCONSISTENT;
    CK_RV rv = ts_attrs_set_ulong(attrs, CKA_CLASS, object_class);
    if (rv == CKR_OK)
        rv = ts_attrs_set_ulong(attrs, CKA_KEY_TYPE, CKK_EC);
    if (rv == CKR_OK)
        rv = ts_attrs_set_bool(attrs, CKA_LOCAL, true);
    if (rv == CKR_OK)
        rv = ts_attrs_set_ulong(attrs, CKA_KEY_GEN_MECHANISM, CKM_EC_KEY_PAIR_GEN);
    return rv;
}

static CK_RV
read_template(struct ts_attrs *out, CK_OBJECT_CLASS object_class, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_purpose purpose = {ts_class_bit(object_class), TS_WHEN_GENERATE, false, NULL};

    CK_RV rv = ts_template_read(out, &purpose, template, count);
    if (rv == CKR_OK)
        rv = set_identity(out, object_class);
    return rv;
}

static CK_RV
complete_template(struct ts_attrs *attrs, const struct pair *pair, CK_OBJECT_CLASS object_class)
{
    struct ts_purpose purpose = {ts_class_bit(object_class), TS_WHEN_GENERATE, false, NULL};

    return ts_template_complete(attrs, pair->env, &purpose);
}

static CK_RV
read_curve(struct pair *pair)
{
    const struct ts_attribute *params = ts_attrs_find(&pair->public_key, CKA_EC_PARAMS);
    const struct ts_attribute *again = ts_attrs_find(&pair->private_key, CKA_EC_PARAMS);
    const struct ts_curve_info *other = NULL;

    if (!params)
        return CKR_TEMPLATE_INCOMPLETE;
    CK_RV rv = ts_curve_from_params(&pair->curve, params->value, params->len);
    if (rv != CKR_OK || !again)
        return rv;
    rv = ts_curve_from_params(&other, again->value, again->len);
    return rv == CKR_OK && other == pair->curve ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
}

/* Both objects of a pair carry the same CKA_ID: callers find one by the other. */
static CK_RV
share_id(struct pair *pair)
{
    const struct ts_attribute *of_public = ts_attrs_find(&pair->public_key, CKA_ID);
    const struct ts_attribute *of_private = ts_attrs_find(&pair->private_key, CKA_ID);

    pair->default_id = !of_public && !of_private;
    if (of_public && !of_private)
        return ts_attrs_set(&pair->private_key, CKA_ID, of_public->value, of_public->len);
    if (of_private && !of_public)
        return ts_attrs_set(&pair->public_key, CKA_ID, of_private->value, of_private->len);
    return CKR_OK;
}

/* Our own attributes: which session makes the key, with whom, and how long it may wait (pkcs11/tallystick.h). */
static CK_RV
read_session_id(struct pair *pair)
{
    const struct ts_attribute *id = ts_attrs_find(&pair->private_key, CKA_TALLYSTICK_SESSION_ID);

    if (id && id->len != sizeof(pair->session_id))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    if (id) {
        memcpy(pair->session_id, id->value, sizeof(pair->session_id));
        return CKR_OK;
    }
    if (ts_random(pair->env, pair->session_id, sizeof(pair->session_id)) != TS_OK)
        return CKR_GENERAL_ERROR;
    return ts_attrs_set(&pair->private_key, CKA_TALLYSTICK_SESSION_ID, pair->session_id, sizeof(pair->session_id));
}

static CK_RV
read_partner(struct pair *pair)
{
    const struct ts_attribute *partner = ts_attrs_find(&pair->private_key, CKA_TALLYSTICK_PARTNER);

    if (!partner)
        return CKR_OK;
    if (partner->len < 1 || partner->len >= sizeof(pair->partner) ||
        !ts_text_is_plain((const char *)partner->value, partner->len, false))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    memcpy(pair->partner, partner->value, partner->len);
    pair->partner[partner->len] = 0;
    return CKR_OK;
}

static CK_RV
read_session(struct pair *pair)
{
    CK_ULONG wait_ms = ts_attrs_ulong(&pair->private_key, CKA_TALLYSTICK_WAIT, 0);

    ts_attrs_remove(&pair->private_key, CKA_TALLYSTICK_WAIT);
    if (wait_ms > UINT32_MAX)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    pair->wait_ms = (uint32_t)wait_ms;
    CK_RV rv = read_partner(pair);
    return rv == CKR_OK ? read_session_id(pair) : rv;
}

static CK_RV
check_write(const struct ts_ck_session *session, const struct ts_attrs *attrs)
{
    return ts_ck_session_check_write(session, ts_attrs_bool(attrs, CKA_TOKEN, false), true);
}

static CK_RV
pair_complete(struct pair *pair, const struct ts_call *call)
{
    CK_RV rv = read_curve(pair);
    if (rv == CKR_OK)
        rv = share_id(pair);
    if (rv == CKR_OK)
        rv = read_session(pair);
    if (rv == CKR_OK)
        rv = complete_template(&pair->public_key, pair, CKO_PUBLIC_KEY);
    if (rv == CKR_OK)
        rv = complete_template(&pair->private_key, pair, CKO_PRIVATE_KEY);
    if (rv == CKR_OK)
        rv = check_write(call->session, &pair->public_key);
    if (rv == CKR_OK)
        rv = check_write(call->session, &pair->private_key);
    return rv;
}

/* --- the run --- */

static CK_RV
finish_attrs(struct ts_attrs *attrs, const struct pair *pair, const uint8_t *id, size_t id_len)
{
    CK_RV rv = ts_point_set_attrs(attrs, pair->env, pair->curve, pair->made.public_key);

    return rv == CKR_OK && pair->default_id ? ts_attrs_set(attrs, CKA_ID, id, id_len) : rv;
}

/* The default CKA_ID is what NSS and OpenSC would compute: SHA-1 of the public point. */
static CK_RV
pair_finish(struct pair *pair, const struct ts_new_key *made)
{
    uint8_t id[EVP_MAX_MD_SIZE];
    size_t id_len = 0;

    pair->made = *made;
    if (made->public_key_len != 1 + 2 * pair->curve->field_bytes)
        return CKR_GENERAL_ERROR;
    if (EVP_Q_digest(pair->env->libctx, "SHA1", NULL, made->public_key, made->public_key_len, id, &id_len) != 1)
        return CKR_HOST_MEMORY;
    CK_RV rv = finish_attrs(&pair->public_key, pair, id, id_len);
    if (rv == CKR_OK)
        rv = finish_attrs(&pair->private_key, pair, id, id_len);
    if (rv == CKR_OK)
        rv = ts_attrs_set(&pair->private_key, CKA_TALLYSTICK_KEY, made->key, sizeof(made->key));
    return rv;
}

/* Runs in the transaction that stores the half, on this thread, without the instance's lock. */
static enum ts_error
record(void *ctx, struct ts_store *store, const struct ts_new_key *made)
{
    struct pair *pair = ctx;
    const struct ts_keyring *keyring = pair->login->keyring;

    enum ts_error err = pair_finish(pair, made) == CKR_OK ? TS_OK : TS_INTERNAL;
    if (err == TS_OK && ts_attrs_bool(&pair->public_key, CKA_TOKEN, false))
        err = ts_object_store(&pair->public_row, store, keyring, pair->slot, TS_CLASS_PUBLIC, &pair->public_key);
    if (err == TS_OK && ts_attrs_bool(&pair->private_key, CKA_TOKEN, false))
        err = ts_object_store(&pair->private_row, store, keyring, pair->slot, TS_CLASS_PRIVATE, &pair->private_key);
    return err;
}

static void
get_label(char out[TS_NAME_MAX], const struct pair *pair)
{
    const struct ts_attribute *label = ts_attrs_find(&pair->private_key, CKA_LABEL);

    if (!label || label->len == 0)
        label = ts_attrs_find(&pair->public_key, CKA_LABEL);
    size_t len = !label ? 0 : label->len < TS_NAME_MAX ? label->len : TS_NAME_MAX - 1;
    if (len > 0)
        memcpy(out, label->value, len);
    out[len] = 0;
}

static CK_RV
run_unlocked(struct pair *pair, struct ts_call *call, struct ts_cancel *cancel)
{
    char label[TS_NAME_MAX];
    struct ts_new_key made;
    struct ts_keygen_job job = {
        .peer = *pair->partner ? pair->partner : NULL,
        .curve = pair->curve->curve,
        .session_id = pair->session_id,
        .wait_ms = pair->wait_ms,
        .cancel = cancel,
        .record = record,
        .ctx = pair,
    };
    struct ts_asker_text text;
    struct ts_host_errors errors = {0};

    get_label(label, pair);
    ts_asker_from_process(&job.asker, &text);
    job.asker.label = label;
    job.asker.temporary = !ts_attrs_bool(&pair->private_key, CKA_TOKEN, false);
    ts_host_errors_put_aside(&errors);
    enum ts_error err = ts_keygen_enterprise(&made, call->instance->enterprise, pair->slot, pair->login->keyring, &job);
    ts_host_errors_put_back(&errors);
    return err == TS_USAGE ? CKR_CURVE_NOT_SUPPORTED : ts_rv(err); /* it has said what happened */
}

static CK_RV
add_one(CK_OBJECT_HANDLE *handle, struct ts_call *call, unsigned class_bit, struct ts_attrs *attrs, uint64_t row)
{
    if (row == 0)
        return ts_object_add(handle, call, class_bit, attrs);
    *handle = ts_handle_from_row(row);
    return CKR_OK;
}

/* What belongs to the session becomes an object only now. A half that no object refers to is given up again. */
static CK_RV
add_objects(
    struct pair *pair, struct ts_call *call, CK_RV relock, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    CK_OBJECT_HANDLE made_public = 0, made_private = 0;

    CK_RV rv = relock;
    if (rv == CKR_OK) {
        call->slot->loaded = false;
        rv = add_one(&made_private, call, TS_CLASS_PRIVATE, &pair->private_key, pair->private_row);
    }
    if (rv != CKR_OK && pair->private_row == 0) {
        (void)ts_rv_log(pair->env, ts_key_destroy(call->instance->enterprise, pair->made.key),
            "erasing the half of a key that lost its session");
        return rv;
    }
    if (rv == CKR_OK)
        rv = add_one(&made_public, call, TS_CLASS_PUBLIC, &pair->public_key, pair->public_row);
    if (rv != CKR_OK)
        return rv;
    *public_key = made_public;
    *private_key = made_private;
    return CKR_OK;
}

static CK_RV
generate(struct pair *pair, struct ts_call *call, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    pair->login = ts_login_hold(call->slot); /* check_write has seen that the user is logged in */
    struct ts_cancel cancel;
    ts_cancel_init(&cancel);
    ts_ck_session_run(call->session, &cancel);
    ts_call_unlock(call);
    CK_RV rv = run_unlocked(pair, call, &cancel);
    CK_RV relock = ts_call_relock(call);
    if (relock == CKR_OK)
        ts_ck_session_ran(call->session, &cancel);
    ts_cancel_clear(&cancel);
    ts_login_release(pair->login);
    return rv == CKR_OK ? add_objects(pair, call, relock, public_key, private_key) : rv;
}

CK_RV
C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_template,
    CK_ULONG public_count, CK_ATTRIBUTE *private_template, CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
    CK_OBJECT_HANDLE *private_key)
{
    struct ts_call call;
    const struct ts_mechanism *found = NULL;
    CK_RV rv = ts_call_begin_session(&call, session);
    struct pair pair = {0};

    if (rv != CKR_OK)
        return ts_call_end(&call, rv);
    pair.env = &call.instance->env;
    pair.slot = call.slot->id;
    if (!public_key || !private_key)
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = ts_template_check_shape(public_template, public_count);
    if (rv == CKR_OK)
        rv = ts_template_check_shape(private_template, private_count);
    if (rv == CKR_OK)
        rv = ts_mechanism_find(&found, mechanism, CKF_GENERATE_KEY_PAIR);
    if (rv == CKR_OK)
        rv = read_template(&pair.public_key, CKO_PUBLIC_KEY, public_template, public_count);
    if (rv == CKR_OK)
        rv = read_template(&pair.private_key, CKO_PRIVATE_KEY, private_template, private_count);
    if (rv == CKR_OK)
        rv = pair_complete(&pair, &call);
    if (rv == CKR_OK)
        rv = generate(&pair, &call, public_key, private_key);
    pair_clear(&pair);
    return ts_call_end(&call, rv);
}
