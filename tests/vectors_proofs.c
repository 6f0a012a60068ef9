#include "tests/vectors.h"

#include <stddef.h>
#include <string.h>

/* The labels and types of section 4, as a table over the structs of mpc/proof.h. */

enum field_type { END, INT, BIT, POINT, INTS, BITS };

struct field {
    const char *label;
    size_t offset;
    enum field_type type;
    bool first; /* part of the first message */
};

#define FIELD(kind, label, type, first)                                                                                \
    {                                                                                                                  \
#label, offsetof(struct ts_##kind, label), type, first                                                         \
    }

static const struct field fields[PROOF_KINDS][12] = {
    [PROOF_DLOG] = {FIELD(dlog, K, POINT, true), FIELD(dlog, z, INT, false)},
    [PROOF_PAILLIER_BLUM] = {FIELD(paillier_blum, w, INT, true), FIELD(paillier_blum, x, INTS, false),
        FIELD(paillier_blum, a, BITS, false), FIELD(paillier_blum, b, BITS, false),
        FIELD(paillier_blum, z, INTS, false)},
    [PROOF_RING_PEDERSEN] = {FIELD(ring_pedersen, A, INTS, true), FIELD(ring_pedersen, z, INTS, false)},
    [PROOF_NO_SMALL_FACTOR] = {FIELD(no_small_factor, P, INT, true), FIELD(no_small_factor, Q, INT, true),
        FIELD(no_small_factor, A, INT, true), FIELD(no_small_factor, B, INT, true),
        FIELD(no_small_factor, T, INT, true), FIELD(no_small_factor, z1, INT, false),
        FIELD(no_small_factor, z2, INT, false), FIELD(no_small_factor, w1, INT, false),
        FIELD(no_small_factor, w2, INT, false), FIELD(no_small_factor, v, INT, false)},
    [PROOF_ENC_RANGE_DLOG] = {FIELD(enc_range_dlog, S, INT, true), FIELD(enc_range_dlog, A, INT, true),
        FIELD(enc_range_dlog, Y, POINT, true), FIELD(enc_range_dlog, D, INT, true),
        FIELD(enc_range_dlog, z1, INT, false), FIELD(enc_range_dlog, z2, INT, false),
        FIELD(enc_range_dlog, z3, INT, false)},
    [PROOF_AFFINE_RANGE] = {FIELD(affine_range, A, INT, true), FIELD(affine_range, B, POINT, true),
        FIELD(affine_range, E, INT, true), FIELD(affine_range, F, INT, true), FIELD(affine_range, S, INT, true),
        FIELD(affine_range, T, INT, true), FIELD(affine_range, z1, INT, false), FIELD(affine_range, z2, INT, false),
        FIELD(affine_range, z3, INT, false), FIELD(affine_range, z4, INT, false), FIELD(affine_range, w, INT, false)},
};

/* The statements, over struct statement. */
#define PART(label, type)                                                                                              \
    {                                                                                                                  \
#label, offsetof(struct statement, label), type, true                                                          \
    }

static const struct field statements[PROOF_KINDS][7] = {
    [PROOF_DLOG] = {PART(W, POINT)},
    [PROOF_PAILLIER_BLUM] = {PART(N, INT)},
    [PROOF_RING_PEDERSEN] = {PART(N, INT), PART(s, INT), PART(t, INT)},
    [PROOF_NO_SMALL_FACTOR] = {PART(N, INT), PART(Nv, INT), PART(sv, INT), PART(tv, INT)},
    [PROOF_ENC_RANGE_DLOG] = {PART(N, INT), PART(C, INT), PART(X, POINT), PART(Nv, INT), PART(sv, INT), PART(tv, INT)},
    [PROOF_AFFINE_RANGE] = {PART(N, INT), PART(sv, INT), PART(tv, INT), PART(C, INT), PART(D, INT), PART(R2, POINT)},
};

static const char *const names[PROOF_KINDS] = {
    "dlog", "paillier_blum", "ring_pedersen", "no_small_factor", "enc_range_dlog", "affine_range"};

enum proof_kind
get_kind(struct entry *e, const json_t *object)
{
    const char *name = get_text(e, object, "proof");

    for (int kind = 0; name && kind < PROOF_KINDS; kind++) {
        if (strcmp(name, names[kind]) == 0)
            return (enum proof_kind)kind;
    }
    e->strange = true;
    return PROOF_DLOG;
}

/* --- reading --- */

static void *
place_of(void *object, const struct field *field)
{
    return (char *)object + field->offset;
}

/* A list of exactly TS_REPETITIONS; another length is refused. */
static const json_t *
get_list(struct entry *e, const json_t *object, const char *label)
{
    const json_t *list = json_object_get(object, label);

    if (!json_is_array(list))
        e->strange = true;
    else if (json_array_size(list) != TS_REPETITIONS)
        e->refused = true;
    else
        return list;
    return NULL;
}

/* A bit as given; the verifier refuses 2 and more, what has no place in a byte is refused here. */
static uint8_t
read_bit(struct entry *e, const json_t *value)
{
    const struct ts_num *bit = read_num(e, value);

    if (!bit || ts_num_is_negative_vartime(bit) || ts_num_bits_vartime(bit) > 8) {
        e->refused = true;
        return UINT8_MAX;
    }
    return (uint8_t)ts_num_mod_u64_vartime(bit, 256);
}

static void
get_field(struct entry *e, void *object, const struct field *field, const struct ts_group *group, const json_t *json)
{
    const json_t *list = NULL;

    if (field->type == INT)
        *(const struct ts_num **)place_of(object, field) = get_num(e, json, field->label);
    else if (field->type == POINT)
        *(const struct ts_point **)place_of(object, field) = get_point(e, json, field->label, group);
    else
        list = get_list(e, json, field->label);
    for (size_t i = 0; list && i < TS_REPETITIONS; i++) {
        const json_t *value = json_array_get(list, i);
        if (field->type == INTS)
            ((const struct ts_num **)place_of(object, field))[i] = read_num(e, value);
        else
            ((uint8_t *)place_of(object, field))[i] = read_bit(e, value);
    }
}

void
get_statement(
    struct entry *e, struct statement *out, enum proof_kind kind, const struct ts_group *group, const json_t *object)
{
    *out = (struct statement){0};
    for (const struct field *field = statements[kind]; field->type != END; field++)
        get_field(e, out, field, group, object);
    if (kind == PROOF_AFFINE_RANGE)
        out->Nv = out->N;
}

void
get_proof(struct entry *e, struct proof *out, const json_t *wire, bool first_only)
{
    size_t count = 0;

    if (!json_is_object(wire)) {
        e->strange = true;
        return;
    }
    for (const struct field *field = fields[out->kind]; field->type != END; field++) {
        if (first_only && !field->first)
            continue;
        count++;
        if (!json_object_get(wire, field->label))
            e->refused = true;
        else
            get_field(e, &out->dlog, field, out->group, wire);
    }
    if (json_object_size(wire) != count)
        e->refused = true;
}

/* --- the functions of mpc/proof.h by kind --- */

void
encode_proof(struct ts_buf *out, const struct proof *proof)
{
    switch (proof->kind) {
    case PROOF_DLOG:
        ts_dlog_encode(out, proof->group, &proof->dlog);
        break;
    case PROOF_PAILLIER_BLUM:
        ts_paillier_blum_encode(out, &proof->paillier_blum);
        break;
    case PROOF_RING_PEDERSEN:
        ts_ring_pedersen_encode(out, &proof->ring_pedersen);
        break;
    case PROOF_NO_SMALL_FACTOR:
        ts_no_small_factor_encode(out, &proof->no_small_factor);
        break;
    case PROOF_ENC_RANGE_DLOG:
        ts_enc_range_dlog_encode(out, proof->group, &proof->enc_range_dlog);
        break;
    case PROOF_AFFINE_RANGE:
    case PROOF_KINDS:
        ts_affine_range_encode(out, proof->group, &proof->affine_range);
        break;
    }
}

enum ts_error
decode_proof(struct proof *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits)
{
    switch (out->kind) {
    case PROOF_DLOG:
        return ts_dlog_decode(&out->dlog, scope, in, out->group);
    case PROOF_PAILLIER_BLUM:
        return ts_paillier_blum_decode(&out->paillier_blum, scope, in, bits);
    case PROOF_RING_PEDERSEN:
        return ts_ring_pedersen_decode(&out->ring_pedersen, scope, in, bits);
    case PROOF_NO_SMALL_FACTOR:
        return ts_no_small_factor_decode(&out->no_small_factor, scope, in, bits);
    case PROOF_ENC_RANGE_DLOG:
        return ts_enc_range_dlog_decode(&out->enc_range_dlog, scope, in, out->group, bits);
    case PROOF_AFFINE_RANGE:
    case PROOF_KINDS:
        break;
    }
    return ts_affine_range_decode(&out->affine_range, scope, in, out->group, bits);
}

struct ts_pedersen
make_pedersen(struct entry *e, const struct ts_num *N, const struct ts_num *s, const struct ts_num *t)
{
    return (struct ts_pedersen){.N = ts_modulus_new(e->scope, N), .s = s, .t = t};
}

/* P1's own parameters: those that the trapdoor verifier knows. */
static bool
is_under_p1(const struct vectors *file, const struct statement *st)
{
    const struct ts_pedersen *own = &file->p1.pedersen;

    return file->p1_usable && ts_num_equal_vartime(st->N, ts_modulus_num(own->N)) &&
           ts_num_equal_vartime(st->sv, own->s) && ts_num_equal_vartime(st->tv, own->t);
}

static enum ts_error
verify_affine_range(struct entry *e, const struct ts_place *place, const struct ts_paillier *key,
    const struct ts_pedersen *v, const struct statement *st, const struct proof *proof)
{
    enum ts_error plain = ts_affine_range_verify(place, key, v, st->C, st->D, st->R2, &proof->affine_range);

    if (is_under_p1(e->file, st) &&
        ts_affine_range_verify_trapdoor(place, &e->file->p1, st->C, st->D, st->R2, &proof->affine_range) != plain)
        e->strange = true;
    return plain;
}

/* The proofs under a verifier's parameters. */
static enum ts_error
verify_under(struct entry *e, const struct ts_place *place, const struct statement *st, const struct proof *proof)
{
    struct ts_pedersen v = make_pedersen(e, st->Nv, st->sv, st->tv);
    uint32_t bits = e->file->bits;
    struct ts_paillier key;

    if (!v.N)
        return TS_CHEATED;
    if (proof->kind == PROOF_NO_SMALL_FACTOR)
        return ts_no_small_factor_verify(place, bits, st->N, &v, &proof->no_small_factor);
    enum ts_error error = ts_paillier_init(&key, e->scope, bits, st->N);
    if (error != TS_OK)
        return error;
    if (proof->kind == PROOF_ENC_RANGE_DLOG)
        return ts_enc_range_dlog_verify(place, &key, st->C, st->X, &v, &proof->enc_range_dlog);
    return verify_affine_range(e, place, &key, &v, st, proof);
}

bool
verify_proof(struct entry *e, const struct ts_place *place, const struct statement *st, const struct proof *proof)
{
    enum ts_error error = TS_INTERNAL;

    if (proof->kind == PROOF_DLOG)
        error = ts_dlog_verify(place, st->W, &proof->dlog);
    else if (proof->kind == PROOF_PAILLIER_BLUM)
        error = ts_paillier_blum_verify(place, e->file->bits, st->N, &proof->paillier_blum);
    else if (proof->kind == PROOF_RING_PEDERSEN)
        error = ts_ring_pedersen_verify(place, e->file->bits, st->N, st->s, st->t, &proof->ring_pedersen);
    else
        error = verify_under(e, place, st, proof);
    if (error != TS_OK && error != TS_CHEATED && error != TS_FORMAT)
        e->strange = true;
    return error == TS_OK;
}
