#include "tests/vectors.h"

#include "mpc/hedge.h"

#include <string.h>

#define WIRE_MAX ((size_t)1 << 20)
#define LABEL_MAX 255
#define MANY 64

/* Each function below gives the JSON form of what the named function makes of `in`; NULL where the entry has failed. */

static json_t *
shown_buf(struct entry *e, struct ts_buf *buf)
{
    json_t *value = NULL;

    if (ts_buf_error(buf) == TS_OK)
        value = show_bytes(buf->data, buf->len);
    else
        ts_scope_fail(e->scope, ts_buf_error(buf));
    ts_buf_clear(buf);
    return value;
}

static json_t *
shown_hash(struct entry *e, const uint8_t hash[TS_HASH_BYTES], enum ts_error error)
{
    if (error == TS_OK)
        return show_bytes(hash, TS_HASH_BYTES);
    ts_scope_fail(e->scope, error);
    return NULL;
}

/* --- section 1 --- */

static json_t *
encode_int(struct entry *e, const json_t *in)
{
    const struct ts_num *z = get_num(e, in, "value");
    struct ts_buf buf;

    if (!z)
        return NULL;
    ts_buf_init(&buf, WIRE_MAX);
    ts_int_encode(&buf, z);
    return shown_buf(e, &buf);
}

static json_t *
decode_int(struct entry *e, const json_t *in)
{
    size_t len;
    const uint8_t *bytes = get_bytes(e, &len, in, "bytes");
    size_t max = get_count(e, in, "max_bytes", WIRE_MAX);

    return e->strange ? NULL : show_num(ts_int_decode(e->scope, bytes, len, max));
}

static json_t *
item(struct entry *e, const json_t *in)
{
    const char *label = get_text(e, in, "label");
    size_t len;
    const uint8_t *value = get_bytes(e, &len, in, "value");
    struct ts_buf buf;

    if (e->strange || strlen(label) > LABEL_MAX)
        return NULL;
    ts_buf_init(&buf, WIRE_MAX);
    ts_item_put(&buf, label, value, len);
    return shown_buf(e, &buf);
}

static json_t *
header(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    const char *name = get_text(e, in, "name");
    struct ts_buf buf;

    if (e->strange)
        return NULL;
    ts_transcript_init(&buf, &place, name);
    return shown_buf(e, &buf);
}

static json_t *
encode_point(struct entry *e, const json_t *in)
{
    const struct ts_group *group = ts_mpc_group(e->file->mpc, get_curve(e, in));
    const struct ts_num *k = get_num(e, in, "k");

    if (!group || e->strange)
        return NULL;
    const struct ts_point *p = ts_point_mul_base(e->scope, group, k);
    if (p && ts_point_is_infinity(group, p))
        e->refused = true;
    return show_point(group, p);
}

static json_t *
decode_point(struct entry *e, const json_t *in)
{
    const struct ts_group *group = ts_mpc_group(e->file->mpc, get_curve(e, in));

    return group ? show_point(group, get_point(e, in, "bytes", group)) : NULL;
}

static json_t *
wire_again(struct entry *e, const json_t *in)
{
    struct proof proof = {.kind = get_kind(e, in), .group = ts_mpc_group(e->file->mpc, get_curve(e, in))};
    uint32_t bits = (uint32_t)get_count(e, in, "modulus_bits", 1 << 16);
    size_t len;
    const uint8_t *bytes = get_bytes(e, &len, in, "bytes");
    struct ts_reader reader;
    struct ts_buf buf;
    bool needs_group =
        proof.kind != PROOF_PAILLIER_BLUM && proof.kind != PROOF_RING_PEDERSEN && proof.kind != PROOF_NO_SMALL_FACTOR;

    e->strange = e->strange || (needs_group && !proof.group);
    if (e->strange)
        return NULL;
    ts_reader_init(&reader, bytes, len);
    enum ts_error error = decode_proof(&proof, e->scope, &reader, bits);
    if (error == TS_OK)
        error = ts_reader_end(&reader);
    if (error != TS_OK) {
        ts_scope_fail(e->scope, error);
        return NULL;
    }
    ts_buf_init(&buf, WIRE_MAX);
    encode_proof(&buf, &proof);
    return shown_buf(e, &buf);
}

/* The wire form of a case's proof, hashed. */
static json_t *
proof_wire(struct entry *e, const json_t *in)
{
    const json_t *expanded = find_case(e->file->cases, json_object_get(in, "case"));
    struct proof proof = {0};
    uint8_t hash[TS_HASH_BYTES];
    struct ts_buf buf;

    if (!expanded) {
        e->strange = true;
        return NULL;
    }
    proof.kind = get_kind(e, expanded);
    proof.group = ts_mpc_group(e->file->mpc, get_curve(e, expanded));
    get_proof(e, &proof, json_object_get(expanded, "proof_wire"), false);
    if (entry_verdict(e, true) != 1)
        return NULL;
    ts_buf_init(&buf, WIRE_MAX);
    encode_proof(&buf, &proof);
    enum ts_error error = ts_hash_32(hash, e->file->mpc, &buf);
    ts_buf_clear(&buf);
    return shown_hash(e, hash, error);
}

/* --- section 2 --- */

static json_t *
aux(struct entry *e, const json_t *in)
{
    const struct ts_pedersen p1 = make_pedersen(e, get_num(e, in, "N"), get_num(e, in, "s"), get_num(e, in, "t"));
    const struct ts_pedersen p2 = make_pedersen(e, get_num(e, in, "Nh"), get_num(e, in, "sh"), get_num(e, in, "th"));
    uint8_t hash[TS_HASH_BYTES];

    if (entry_verdict(e, true) != 1)
        return NULL;
    return shown_hash(e, hash, ts_aux_hash(hash, e->file->mpc, &p1, &p2));
}

static json_t *
sid(struct entry *e, const json_t *in)
{
    struct ts_sid_fields fields = {.curve = get_curve(e, in), .purpose = get_text(e, in, "purpose")};
    uint8_t hash[TS_HASH_BYTES];

    fields.pairing = get_bytes(e, &fields.pairing_len, in, "pairing");
    fields.key = get_bytes(e, &fields.key_len, in, "key");
    fields.generation = (uint32_t)get_u64(e, in, "generation", UINT32_MAX);
    fields.aux = get_bytes(e, &fields.aux_len, in, "aux");
    fields.public_key = get_bytes(e, &fields.public_key_len, in, "public");
    fields.n1 = get_exact(e, in, "n1", TS_NONCE_BYTES);
    fields.n2 = get_exact(e, in, "n2", TS_NONCE_BYTES);
    fields.batch = get_u64(e, in, "batch", UINT64_MAX);
    if (e->strange)
        return NULL;
    return shown_hash(e, hash, ts_sid(hash, e->file->mpc, &fields));
}

static json_t *
commit(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    const struct ts_group *group = ts_mpc_group(e->file->mpc, place.curve);
    const uint8_t *u = get_exact(e, in, "u", TS_NONCE_BYTES);
    uint8_t hash[TS_HASH_BYTES];

    if (json_object_get(in, "d")) {
        const struct ts_num *d = get_num(e, in, "d");
        return e->strange ? NULL : shown_hash(e, hash, ts_coin_commitment(hash, &place, d, u));
    }
    const struct ts_point *W = get_point(e, in, "W", group);
    const struct ts_dlog proof = {.K = get_point(e, in, "K", group), .z = get_num(e, in, "z")};
    if (entry_verdict(e, true) != 1)
        return NULL;
    return shown_hash(e, hash, ts_dlog_commitment(hash, &place, W, &proof, u));
}

static json_t *
nonce_commit(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    const uint8_t *nonce = get_exact(e, in, "nonce", TS_NONCE_BYTES);
    uint8_t hash[TS_HASH_BYTES];

    return e->strange ? NULL : shown_hash(e, hash, ts_nonce_commitment(hash, &place, nonce));
}

static json_t *
request(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    size_t len;
    const uint8_t *bytes = get_bytes(e, &len, in, "bytes");
    uint8_t hash[TS_HASH_BYTES];

    return e->strange ? NULL : shown_hash(e, hash, ts_request_hash(hash, &place, bytes, len));
}

static json_t *
confirm(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    const json_t *list = json_object_get(in, "payloads");
    size_t count = json_array_size(list);
    struct ts_bytes payloads[MANY];
    uint8_t hash[TS_HASH_BYTES];

    if (!json_is_array(list) || count > MANY)
        e->strange = true;
    for (size_t i = 0; i < count && !e->strange; i++) {
        json_t *holder = json_pack("{sO}", "payload", json_array_get(list, i));
        payloads[i].data = get_bytes(e, &payloads[i].len, holder, "payload");
        json_decref(holder);
    }
    return e->strange ? NULL : shown_hash(e, hash, ts_confirmation(hash, &place, payloads, count));
}

static json_t *
digest(struct entry *e, const json_t *in)
{
    const struct ts_group *group = ts_mpc_group(e->file->mpc, get_curve(e, in));
    size_t len;
    const uint8_t *bytes = get_bytes(e, &len, in, "digest");

    e->strange = e->strange || !group;
    return e->strange ? NULL : show_num(ts_digest_to_num(e->scope, group, bytes, len));
}

static json_t *
delta(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    const struct ts_group *group = ts_mpc_group(e->file->mpc, place.curve);
    const struct ts_point *X = get_point(e, in, "X", group), *R = get_point(e, in, "R", group);
    const struct ts_num *h = get_num(e, in, "h");
    const uint8_t *hash = get_exact(e, in, "request", TS_HASH_BYTES);
    const uint8_t *nonce = get_exact(e, in, "nonce", TS_NONCE_BYTES);

    return e->strange ? NULL : show_num(ts_delta(e->scope, &place, X, R, h, hash, nonce));
}

/* --- challenges --- */

static json_t *
list_of(const struct ts_num *const *values, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, show_num(values[i]));
    return list;
}

static json_t *
bits_of(const uint8_t e16[TS_REPETITIONS / 8])
{
    char text[TS_REPETITIONS + 1] = {0};

    for (size_t i = 0; i < TS_REPETITIONS; i++)
        text[i] = (char)('0' + (e16[i / 8] >> i % 8 & 1));
    return json_string(text);
}

static json_t *
challenge_pairing(struct entry *e, const struct ts_place *place, const struct statement *st, const struct proof *first)
{
    const struct ts_num *y[TS_REPETITIONS];
    uint8_t e16[TS_REPETITIONS / 8];

    if (first->kind == PROOF_PAILLIER_BLUM) {
        ts_paillier_blum_challenge(y, e->scope, place, st->N, first->paillier_blum.w);
        return list_of(y, TS_REPETITIONS);
    }
    enum ts_error error = ts_ring_pedersen_challenge(e16, place, st->N, st->s, st->t, first->ring_pedersen.A);
    if (error == TS_OK)
        return bits_of(e16);
    ts_scope_fail(e->scope, error);
    return NULL;
}

static json_t *
challenge_under(struct entry *e, const struct ts_place *place, const struct statement *st, const struct proof *first)
{
    const struct ts_pedersen v = make_pedersen(e, st->Nv, st->sv, st->tv);
    const struct ts_num *challenge = NULL;

    if (!v.N)
        return NULL;
    if (first->kind == PROOF_NO_SMALL_FACTOR)
        challenge = ts_no_small_factor_challenge(e->scope, place, st->N, &v, &first->no_small_factor);
    else if (first->kind == PROOF_ENC_RANGE_DLOG)
        challenge = ts_enc_range_dlog_challenge(e->scope, place, st->N, st->C, st->X, &v, &first->enc_range_dlog);
    else
        challenge = ts_affine_range_challenge(e->scope, place, &v, st->C, st->D, st->R2, &first->affine_range);
    return show_num(challenge);
}

static json_t *
challenge(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    struct proof first = {.kind = get_kind(e, in), .group = ts_mpc_group(e->file->mpc, place.curve)};
    struct statement st;

    get_statement(e, &st, first.kind, first.group, json_object_get(in, "statement"));
    get_proof(e, &first, json_object_get(in, "first"), true);
    if (entry_verdict(e, true) != 1)
        return NULL;
    if (first.kind == PROOF_DLOG)
        return show_num(ts_dlog_challenge(e->scope, &place, st.W, first.dlog.K));
    if (first.kind == PROOF_PAILLIER_BLUM || first.kind == PROOF_RING_PEDERSEN)
        return challenge_pairing(e, &place, &st, &first);
    return challenge_under(e, &place, &st, &first);
}

/* --- section 3 --- */

static json_t *
hedge(struct entry *e, const json_t *in)
{
    struct ts_place place = get_place(e, in);
    const char *use = get_text(e, in, "use");
    size_t bind_len;
    const uint8_t *bind = get_bytes(e, &bind_len, in, "bind");
    const uint8_t *random = get_exact(e, in, "rand", 64);
    const uint8_t *hk = get_exact(e, in, "hk", TS_HEDGE_KEY_BYTES);
    uint64_t counter = get_u64(e, in, "counter", UINT64_MAX);
    uint64_t time_ns = get_u64(e, in, "time", UINT64_MAX);
    uint8_t seed[TS_SEED_BYTES];

    if (e->strange)
        return NULL;
    enum ts_error error = ts_hedge_seed(seed, &place, use, bind, bind_len, random, hk, counter, time_ns);
    if (error == TS_OK)
        return show_bytes(seed, sizeof seed);
    ts_scope_fail(e->scope, error);
    return NULL;
}

static const struct ts_num *
draw(struct entry *e, struct ts_stream *stream, const json_t *one)
{
    const char *kind = json_string_value(json_array_get(one, 0));
    const struct ts_num *size = read_num(e, json_array_get(one, 1));

    if (!kind || !size || json_array_size(one) != 2 || ts_num_is_negative_vartime(size)) {
        e->strange = true;
        return NULL;
    }
    if (strcmp(kind, "residue") == 0)
        return ts_stream_residue(stream, size);
    if (strcmp(kind, "unit") == 0)
        return ts_stream_unit(stream, size);
    bool is_signed = strcmp(kind, "signed") == 0;
    if ((!is_signed && strcmp(kind, "bits") != 0) || ts_num_bits_vartime(size) > 20) {
        e->strange = true;
        return NULL;
    }
    size_t k = (size_t)ts_num_mod_u64_vartime(size, (uint64_t)1 << 32);
    return is_signed ? ts_stream_signed(stream, k) : ts_stream_bits(stream, k);
}

static json_t *
hedge_values(struct entry *e, const json_t *in)
{
    const uint8_t *seed = get_exact(e, in, "seed", TS_SEED_BYTES);
    const json_t *draws = json_object_get(in, "draws");
    json_t *list = json_array();

    if (!json_is_array(draws))
        e->strange = true;
    struct ts_stream *stream = e->strange ? NULL : ts_stream_from_seed(e->scope, e->file->mpc, seed);
    for (size_t i = 0; stream && i < json_array_size(draws); i++)
        json_array_append_new(list, show_num(draw(e, stream, json_array_get(draws, i))));
    return list;
}

/* --- all of them --- */

static const struct {
    const char *name;
    json_t *(*evaluate)(struct entry *e, const json_t *in);
} hashes[] = {{"encode_int", encode_int}, {"decode_int", decode_int}, {"item", item}, {"header", header},
    {"encode_point", encode_point}, {"decode_point", decode_point}, {"decode_proof", wire_again},
    {"proof_wire", proof_wire}, {"aux", aux}, {"sid", sid}, {"commit", commit}, {"nonce_commit", nonce_commit},
    {"request", request}, {"confirm", confirm}, {"digest", digest}, {"delta", delta}, {"challenge", challenge},
    {"hedge", hedge}, {"hedge_values", hedge_values}};

/* Null where it is refused, NULL where the entry is not understood. */
static json_t *
evaluate(struct entry *e, const char *name, const json_t *in)
{
    json_t *result = NULL;

    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        if (strcmp(name, hashes[i].name) != 0)
            continue;
        result = hashes[i].evaluate(e, in);
        int verdict = entry_verdict(e, true);
        if (verdict == 1)
            return result;
        json_decref(result);
        return verdict == 0 ? json_null() : NULL;
    }
    return NULL;
}

bool
check_hash(const struct vectors *file, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const json_t *in = json_object_get(entry, "in");
    struct entry e;
    bool expected = false;

    if (name && json_is_object(in) && entry_open(&e, file)) {
        json_t *out = evaluate(&e, name, in);
        expected = out && json_equal(out, json_object_get(entry, "out"));
        json_decref(out);
        entry_close(&e);
    }
    return expected;
}
