#include "mpc/half_make.h"

#include "base/secret.h"
#include "mpc/message.h"

#include <string.h>

#define PAIRING_VERSION 1

enum ts_error
ts_pairing_new(struct ts_pairing **out)
{
    struct ts_scope *scope = NULL;

    *out = NULL;
    if (ts_scope_new(&scope) != TS_OK)
        return TS_INTERNAL;
    struct ts_pairing *pairing = ts_scope_memory(scope, sizeof *pairing);
    if (!pairing) {
        ts_scope_free(scope);
        return TS_INTERNAL;
    }
    pairing->scope = scope;
    *out = pairing;
    return TS_OK;
}

/* The pairing itself lies in its scope. */
void
ts_pairing_free(struct ts_pairing *pairing)
{
    if (pairing)
        ts_scope_free(pairing->scope);
}

enum ts_error
ts_pairing_join(struct ts_pairing *pairing, const struct ts_mpc *mpc, const struct ts_num *N, const struct ts_num *s,
    const struct ts_num *t)
{
    struct ts_scope *scope = pairing->scope;
    struct ts_paillier peer = {0};

    enum ts_error error = ts_paillier_init(&peer, scope, pairing->bits, ts_num_copy(scope, N));
    if (error != TS_OK)
        return error;
    /* With a common factor each side could compute in the other's group. */
    if (!ts_num_coprime_vartime(N, ts_modulus_num(pairing->own.key.N)))
        return TS_CHEATED;
    struct ts_pedersen theirs = {.N = peer.N, .s = ts_num_copy(scope, s), .t = ts_num_copy(scope, t)};
    bool first = pairing->role == TS_ROLE_P1;
    if (!first) { /* P2 commits four times for each presignature */
        theirs.s_table = ts_table_slot_new(scope);
        theirs.t_table = ts_table_slot_new(scope);
    }
    pairing->paillier = first ? pairing->own.key : peer;
    pairing->p1 = first ? pairing->own.pedersen : theirs;
    pairing->p2 = first ? theirs : pairing->own.pedersen;
    error = ts_scope_error(scope);
    return error == TS_OK ? ts_aux_hash(pairing->aux, mpc, &pairing->p1, &pairing->p2) : error;
}

/* A secret number has the width of what it belongs to, so that its length says nothing. */
static void
put_secret(struct ts_buf *out, const char *label, const struct ts_num *secret, size_t len)
{
    struct ts_buf bytes;

    ts_buf_init_secret(&bytes, len);
    uint8_t *place = ts_buf_extend(&bytes, len);
    if (place && ts_num_to_bytes(place, len, secret) == TS_OK)
        ts_item_put(out, label, place, len);
    else
        out->error = TS_INTERNAL;
    ts_buf_clear(&bytes);
}

static void
put_parameters(struct ts_buf *out, const struct ts_pairing *pairing)
{
    ts_item_put_int(out, "N", ts_modulus_num(pairing->p1.N));
    ts_item_put_int(out, "s", pairing->p1.s);
    ts_item_put_int(out, "t", pairing->p1.t);
    ts_item_put_int(out, "Nh", ts_modulus_num(pairing->p2.N));
    ts_item_put_int(out, "sh", pairing->p2.s);
    ts_item_put_int(out, "th", pairing->p2.t);
}

enum ts_error
ts_pairing_encode(struct ts_buf *out, const struct ts_pairing *pairing)
{
    size_t prime_len = pairing->bits / 16;

    ts_item_put_u32(out, "version", PAIRING_VERSION);
    ts_item_put(out, "role", &pairing->role, 1);
    ts_item_put(out, "pairing", pairing->id, sizeof pairing->id);
    ts_item_put_u32(out, "bits", pairing->bits);
    put_parameters(out, pairing);
    ts_item_put(out, "aux", pairing->aux, sizeof pairing->aux);
    put_secret(out, "p", ts_modulus_num(pairing->own.p), prime_len);
    put_secret(out, "q", ts_modulus_num(pairing->own.q), prime_len);
    put_secret(out, "lambda", pairing->own.lambda, 2 * prime_len);
    return ts_buf_error(out) == TS_OK ? TS_OK : TS_INTERNAL;
}

/* Numbers of an encoded pairing, before they are known to fit together. */
struct fields {
    uint8_t aux[TS_HASH_BYTES];
    const struct ts_num *N[2], *s[2], *t[2]; /* of P1, of P2 */
    const struct ts_num *p, *q, *lambda;
};

static const struct ts_num *
take_secret(struct ts_scope *scope, struct ts_reader *in, const char *label, size_t len)
{
    const uint8_t *bytes = ts_item_take_exact(in, label, len);

    return bytes ? ts_num_from_bytes(scope, bytes, len) : NULL;
}

static enum ts_error
take_head(struct ts_pairing *pairing, struct ts_reader *in)
{
    uint32_t version = ts_item_take_u32(in, "version");

    ts_message_take_bytes(&pairing->role, in, "role", 1);
    ts_message_take_bytes(pairing->id, in, "pairing", sizeof pairing->id);
    pairing->bits = ts_item_take_u32(in, "bits");
    if (in->error != TS_OK || version != PAIRING_VERSION)
        return TS_FORMAT;
    if (pairing->role != TS_ROLE_P1 && pairing->role != TS_ROLE_P2)
        return TS_FORMAT;
    return ts_parameters_allowed(TS_CURVE_NONE, pairing->bits) ? TS_OK : TS_FORMAT;
}

static enum ts_error
take_fields(struct fields *fields, struct ts_scope *scope, struct ts_reader *in, uint32_t bits)
{
    static const char *const labels[2][3] = {{"N", "s", "t"}, {"Nh", "sh", "th"}};

    for (int i = 0; i < 2; i++) {
        fields->N[i] = ts_message_take_modulus(scope, in, labels[i][0], bits);
        fields->s[i] = ts_item_take_int(scope, in, labels[i][1], bits / 8);
        fields->t[i] = ts_item_take_int(scope, in, labels[i][2], bits / 8);
    }
    ts_message_take_bytes(fields->aux, in, "aux", sizeof fields->aux);
    fields->p = take_secret(scope, in, "p", bits / 16);
    fields->q = take_secret(scope, in, "q", bits / 16);
    fields->lambda = take_secret(scope, in, "lambda", bits / 8);
    enum ts_error error = ts_message_end(in, scope);
    if (error != TS_OK)
        return error;
    for (int i = 0; i < 2; i++) {
        if (!ts_num_is_reduced_vartime(fields->s[i], fields->N[i]) ||
            !ts_num_is_reduced_vartime(fields->t[i], fields->N[i]))
            return TS_FORMAT;
    }
    return TS_OK;
}

/* The factors must be those of the own modulus, and s the power of t. */
static enum ts_error
rebuild(struct ts_pairing *pairing, const struct ts_mpc *mpc, const struct fields *fields)
{
    int own = pairing->role == TS_ROLE_P1 ? 0 : 1;
    struct ts_trapdoor *key = &pairing->own;

    enum ts_error error =
        ts_trapdoor_init(key, pairing->scope, pairing->bits, fields->p, fields->q, fields->t[own], fields->lambda);
    if (error != TS_OK)
        return error;
    if (!ts_num_equal_vartime(ts_modulus_num(key->key.N), fields->N[own]) ||
        !ts_num_equal_vartime(key->pedersen.s, fields->s[own]))
        return TS_FORMAT;
    error = ts_pairing_join(pairing, mpc, fields->N[1 - own], fields->s[1 - own], fields->t[1 - own]);
    if (error != TS_OK)
        return error;
    return memcmp(pairing->aux, fields->aux, sizeof fields->aux) == 0 ? TS_OK : TS_FORMAT;
}

enum ts_error
ts_pairing_decode(struct ts_pairing **out, const struct ts_mpc *mpc, const uint8_t *bytes, size_t len)
{
    struct ts_pairing *pairing = NULL;
    struct ts_reader reader;
    struct fields fields;

    *out = NULL;
    ts_reader_init(&reader, bytes, len);
    enum ts_error error = ts_pairing_new(&pairing);
    if (error == TS_OK)
        error = take_head(pairing, &reader);
    if (error == TS_OK)
        error = take_fields(&fields, pairing->scope, &reader, pairing->bits);
    if (error == TS_OK)
        error = rebuild(pairing, mpc, &fields);
    if (error == TS_OK) {
        *out = pairing;
        return TS_OK;
    }
    ts_pairing_free(pairing);
    return error == TS_INTERNAL ? TS_INTERNAL : TS_FORMAT; /* stored bytes are damaged, nobody cheats */
}
