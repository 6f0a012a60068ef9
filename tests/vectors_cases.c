#include "tests/vectors.h"

#include <stdlib.h>
#include <string.h>

#define WIRE_MAX ((size_t)1 << 20)
#define SEED_BYTES ((size_t)64)

/* --- base and patch --- */

json_t *
find_case(const json_t *cases, const json_t *id)
{
    char key[32];

    if (!json_is_integer(id))
        return NULL;
    snprintf(key, sizeof key, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
    return json_object_get(cases, key);
}

/* A position in a list, at most its length (there a value is appended). */
static bool
position(size_t *out, const json_t *list, const char *step)
{
    size_t len = strlen(step);

    if (len == 0 || len > 9 || strspn(step, "0123456789") != len)
        return false;
    *out = (size_t)strtoul(step, NULL, 10);
    return *out <= json_array_size(list);
}

static json_t *
descend(json_t *place, const char *step)
{
    size_t i;

    if (json_is_array(place))
        return position(&i, place, step) ? json_array_get(place, i) : NULL;
    return json_object_get(place, step);
}

/* Replace, delete (null) or append. */
static bool
put(json_t *place, const char *step, json_t *value)
{
    size_t i;

    if (json_is_object(place) && json_is_null(value))
        return json_object_del(place, step) == 0;
    if (json_is_object(place))
        return json_object_set(place, step, value) == 0;
    if (!json_is_array(place) || !position(&i, place, step))
        return false;
    if (json_is_null(value))
        return json_array_remove(place, i) == 0;
    return i == json_array_size(place) ? json_array_append(place, value) == 0 : json_array_set(place, i, value) == 0;
}

static bool
apply(json_t *full, const char *path, json_t *value)
{
    char *copy = strdup(path);
    char *rest = NULL;
    json_t *place = full;
    bool done = false;

    if (!copy)
        return false;
    char *step = strtok_r(copy, ".", &rest);
    for (char *next; step && (next = strtok_r(NULL, ".", &rest)) != NULL; step = next)
        place = descend(place, step);
    if (step)
        done = put(place, step, value);
    free(copy);
    return done;
}

static bool
apply_all(json_t *full, const json_t *patch)
{
    const char *path;
    json_t *value;

    if (!json_is_object(patch))
        return false;
    json_object_foreach((json_t *)patch, path, value)
    {
        if (!apply(full, path, value))
            return false;
    }
    return true;
}

json_t *
expand_case(const json_t *entry, const json_t *cases)
{
    static const char *const own[] = {"id", "valid", "why"};

    if (!json_is_object(entry))
        return NULL;
    if (!json_object_get(entry, "base"))
        return json_incref((json_t *)entry);
    json_t *full = json_deep_copy(find_case(cases, json_object_get(entry, "base")));
    bool done = full && apply_all(full, json_object_get(entry, "patch"));
    for (size_t i = 0; done && i < sizeof own / sizeof *own; i++)
        done = json_object_set(full, own[i], json_object_get(entry, own[i])) == 0;
    if (!done) {
        json_decref(full);
        return NULL;
    }
    json_object_del(full, "prove");
    json_object_set_new(full, "patched", json_true());
    return full;
}

/* --- verifying --- */

/* What a case says. */
struct parts {
    struct ts_place place;
    struct statement st;
    struct proof proof;
};

static void
get_parts(struct entry *e, struct parts *out, const json_t *expanded)
{
    const json_t *statement = json_object_get(expanded, "statement");

    *out = (struct parts){.place = get_place(e, expanded)};
    out->proof.kind = get_kind(e, expanded);
    out->proof.group = ts_mpc_group(e->file->mpc, out->place.curve);
    if (!json_is_object(statement))
        e->strange = true;
    get_statement(e, &out->st, out->proof.kind, out->proof.group, statement);
    get_proof(e, &out->proof, json_object_get(expanded, "proof_wire"), false);
}

bool
check_case(const struct vectors *file, const json_t *expanded)
{
    const json_t *valid = json_object_get(expanded, "valid");
    struct parts *parts = calloc(1, sizeof *parts);
    struct entry e;
    int verdict = -1;

    if (parts && json_is_boolean(valid) && entry_open(&e, file)) {
        bool accepted = false;
        get_parts(&e, parts, expanded);
        if (entry_verdict(&e, true) == 1)
            accepted = verify_proof(&e, &parts->place, &parts->st, &parts->proof);
        verdict = entry_verdict(&e, accepted);
        entry_close(&e);
    }
    free(parts);
    return verdict == (json_is_true(valid) ? 1 : 0);
}

/* --- proving again --- */

static bool
same_wire(const struct proof *a, const struct proof *b)
{
    struct ts_buf first, second;

    ts_buf_init(&first, WIRE_MAX);
    ts_buf_init(&second, WIRE_MAX);
    encode_proof(&first, a);
    encode_proof(&second, b);
    bool same = ts_buf_error(&first) == TS_OK && ts_buf_error(&second) == TS_OK && first.len == second.len &&
                memcmp(first.data, second.data, first.len) == 0;
    ts_buf_clear(&first);
    ts_buf_clear(&second);
    return same;
}

/* A key from the witness's primes; t and lambda are of the statement, or of no account. */
static bool
make_key(struct entry *e, struct ts_trapdoor *out, const struct statement *st, const json_t *witness, bool pedersen)
{
    const struct ts_num *p = get_num(e, witness, "p");
    const struct ts_num *q = get_num(e, witness, "q");
    const struct ts_num *t = pedersen ? st->t : ts_num_from_u64(e->scope, 4);
    const struct ts_num *lambda = pedersen ? get_num(e, witness, "lambda") : ts_num_from_u64(e->scope, 2);

    if (e->strange || ts_trapdoor_init(out, e->scope, e->file->bits, p, q, t, lambda) != TS_OK)
        return false;
    return ts_num_equal_vartime(ts_modulus_num(out->key.N), st->N) &&
           (!pedersen || ts_num_equal_vartime(out->pedersen.s, st->s));
}

/* The proofs whose witness is the factors. */
static enum ts_error
prove_factors(
    struct entry *e, struct proof *out, const struct parts *parts, const struct ts_hedge *hedge, const json_t *witness)
{
    struct ts_trapdoor key;

    if (!make_key(e, &key, &parts->st, witness, out->kind == PROOF_RING_PEDERSEN))
        return TS_FORMAT;
    if (out->kind == PROOF_PAILLIER_BLUM)
        return ts_paillier_blum_prove(&out->paillier_blum, e->scope, &parts->place, hedge, &key);
    if (out->kind == PROOF_RING_PEDERSEN)
        return ts_ring_pedersen_prove(&out->ring_pedersen, e->scope, &parts->place, hedge, &key);
    struct ts_pedersen v = make_pedersen(e, parts->st.Nv, parts->st.sv, parts->st.tv);
    if (!v.N)
        return TS_FORMAT;
    return ts_no_small_factor_prove(&out->no_small_factor, e->scope, &parts->place, hedge, &key, &v);
}

static enum ts_error
prove_enc_range_dlog(struct entry *e, struct proof *out, const struct parts *parts, const struct ts_hedge *hedge,
    const struct ts_paillier *key, const struct ts_pedersen *v, const json_t *witness)
{
    const struct ts_num *x = get_num(e, witness, "x"), *rho = get_num(e, witness, "rho");

    return ts_enc_range_dlog_prove(
        &out->enc_range_dlog, e->scope, &parts->place, hedge, key, parts->st.C, parts->st.X, v, x, rho);
}

static enum ts_error
prove_affine_range(struct entry *e, struct proof *out, const struct parts *parts, const struct ts_hedge *hedge,
    const struct ts_paillier *key, const struct ts_pedersen *v, const json_t *witness)
{
    const struct ts_num *a = get_num(e, witness, "a"), *b = get_num(e, witness, "b");
    const struct ts_num *rho = get_num(e, witness, "rho");

    return ts_affine_range_prove(
        &out->affine_range, e->scope, &parts->place, hedge, key, v, parts->st.C, parts->st.D, parts->st.R2, a, b, rho);
}

static enum ts_error
prove(struct entry *e, struct proof *out, const struct parts *parts, const uint8_t *seed, const json_t *witness)
{
    const struct ts_hedge hedge = {.fixed_seed = seed};
    struct ts_paillier key;

    if (out->kind == PROOF_DLOG)
        return ts_dlog_prove(&out->dlog, e->scope, &parts->place, &hedge, parts->st.W, get_num(e, witness, "w"));
    if (out->kind != PROOF_ENC_RANGE_DLOG && out->kind != PROOF_AFFINE_RANGE)
        return prove_factors(e, out, parts, &hedge, witness);
    struct ts_pedersen v = make_pedersen(e, parts->st.Nv, parts->st.sv, parts->st.tv);
    enum ts_error error = ts_paillier_init(&key, e->scope, e->file->bits, parts->st.N);
    if (error != TS_OK || !v.N)
        return TS_FORMAT;
    if (out->kind == PROOF_ENC_RANGE_DLOG)
        return prove_enc_range_dlog(e, out, parts, &hedge, &key, &v, witness);
    return prove_affine_range(e, out, parts, &hedge, &key, &v, witness);
}

bool
check_prove(const struct vectors *file, const json_t *expanded)
{
    const json_t *given = json_object_get(expanded, "prove");
    const json_t *witness = json_object_get(given, "witness");
    struct parts *parts = calloc(1, sizeof *parts);
    struct proof *made = calloc(1, sizeof *made);
    struct entry e;
    bool same = false;

    if (parts && made && json_is_object(witness) && entry_open(&e, file)) {
        get_parts(&e, parts, expanded);
        const uint8_t *seed = get_exact(&e, given, "seed", SEED_BYTES);
        made->kind = parts->proof.kind;
        made->group = parts->proof.group;
        if (entry_verdict(&e, true) == 1 && prove(&e, made, parts, seed, witness) == TS_OK)
            same = entry_verdict(&e, same_wire(made, &parts->proof)) == 1;
        entry_close(&e);
    }
    free(parts);
    free(made);
    return same;
}
