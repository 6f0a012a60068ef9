#include "tests/vectors.h"

#include "mpc/signature.h"

#include <string.h>

/* --- presignatures --- */

/* One entry of "presign". */
struct presign {
    const struct ts_num *x1, *x2, *rho, *C, *k1, *k2, *a, *beta, *nu, *b, *r, *D, *M, *V;
    const struct ts_point *X, *R1, *R2, *R;
};

static void
get_presign(struct entry *e, struct presign *out, const json_t *json)
{
    const struct ts_group *group = e->file->group;

    *out = (struct presign){.x1 = get_num(e, json, "x1"),
        .x2 = get_num(e, json, "x2"),
        .rho = get_num(e, json, "rho"),
        .C = get_num(e, json, "C"),
        .k1 = get_num(e, json, "k1"),
        .k2 = get_num(e, json, "k2"),
        .a = get_num(e, json, "a"),
        .beta = get_num(e, json, "beta"),
        .b = get_num(e, json, "b"),
        .r = get_num(e, json, "r"),
        .D = get_num(e, json, "D"),
        .M = get_num(e, json, "M"),
        .V = get_num(e, json, "V"),
        .X = get_point(e, json, "X", group),
        .R1 = get_point(e, json, "R1", group),
        .R2 = get_point(e, json, "R2", group),
        .R = get_point(e, json, "R", group)};
    if (!is_null(json, "nu"))
        out->nu = get_num(e, json, "nu");
}

static bool
points_agree(struct entry *e, const struct presign *p)
{
    const struct ts_group *g = e->file->group;
    struct ts_scope *scope = e->scope;

    return ts_point_equal(g, p->X, ts_point_mul_base(scope, g, ts_num_add(scope, p->x1, p->x2))) &&
           ts_point_equal(g, p->R1, ts_point_mul_base(scope, g, p->k1)) &&
           ts_point_equal(g, p->R2, ts_point_mul_base(scope, g, p->k2)) &&
           ts_point_equal(g, p->R, ts_point_mul(scope, g, p->k1, p->R2)) &&
           ts_point_equal(g, p->R, ts_point_mul(scope, g, p->k2, p->R1));
}

/* a k2 = 1 and b = a x2 + beta mod q; b exactly where nu is given. */
static bool
p2_agrees(struct entry *e, const struct presign *p)
{
    const struct ts_modulus *q = ts_group_order(e->file->group);
    const struct ts_num *nu = p->nu ? p->nu : ts_num_from_u64(e->scope, 0);
    const struct ts_num *a, *b;

    if (ts_presign_p2_values(&a, &b, e->scope, e->file->group, p->k2, p->x2, p->beta, nu) != TS_OK)
        return false;
    return ts_num_equal_vartime(ts_mod(e->scope, p->a, q), a) && !ts_num_is_zero_vartime(a) &&
           ts_num_equal_vartime(ts_mod(e->scope, p->b, q), ts_mod(e->scope, b, q)) &&
           (!p->nu || ts_num_equal_vartime(p->b, b));
}

static bool
paillier_agrees(struct entry *e, const struct presign *p)
{
    const struct ts_trapdoor *key = &e->file->p1;
    const struct ts_num *N = ts_modulus_num(key->key.N);
    struct ts_scope *scope = e->scope;

    if (!e->file->p1_usable || !ts_num_is_unit_vartime(p->rho, N) || !ts_num_is_unit_vartime(p->r, N) ||
        !ts_num_is_unit_vartime(p->C, ts_modulus_num(key->key.N2)))
        return false;
    if (!ts_num_equal_vartime(p->C, ts_paillier_encrypt(scope, &key->key, p->x1, p->rho)) ||
        !ts_num_equal_vartime(p->C, ts_paillier_encrypt_crt(scope, key, p->x1, p->rho)) ||
        !ts_num_equal_vartime(p->D, ts_paillier_affine(scope, &key->key, p->C, p->a, p->b, p->r)))
        return false;
    return ts_num_equal_vartime(p->M, ts_paillier_decrypt(scope, key, p->D)) &&
           ts_num_equal_vartime(p->V, ts_presign_p1_value(scope, e->file->group, p->M));
}

/* The affine_range case that an entry names is written out there, and about the same values. */
static bool
case_agrees(struct entry *e, const json_t *json)
{
    static const char *const outside[] = {"sid", "index"};
    static const char *const inside[] = {"C", "D", "R2"};
    const json_t *named = json_object_get(json, "case");

    if (json_is_null(named))
        return true;
    const json_t *expanded = find_case(e->file->cases, named);
    if (!expanded)
        e->strange = true;
    const json_t *statement = json_object_get(expanded, "statement");
    const char *proof = json_string_value(json_object_get(expanded, "proof"));
    bool agrees = proof && strcmp(proof, "affine_range") == 0 && !json_object_get(expanded, "patched");
    for (size_t i = 0; i < 2; i++)
        agrees = agrees && json_equal(json_object_get(expanded, outside[i]), json_object_get(json, outside[i]));
    for (size_t i = 0; i < 3; i++)
        agrees = agrees && json_equal(json_object_get(statement, inside[i]), json_object_get(json, inside[i]));
    return agrees;
}

bool
check_presign(const struct vectors *file, const json_t *json)
{
    const json_t *valid = json_object_get(json, "valid");
    struct presign values;
    struct entry e;
    int verdict = -1;

    if (json_is_boolean(valid) && file->group && entry_open(&e, file)) {
        get_presign(&e, &values, json);
        get_exact(&e, json, "sid", TS_SID_BYTES);
        get_count(&e, json, "index", UINT32_MAX);
        bool accepted = case_agrees(&e, json) && entry_verdict(&e, true) == 1 && points_agree(&e, &values) &&
                        p2_agrees(&e, &values) && paillier_agrees(&e, &values);
        verdict = entry_verdict(&e, accepted);
        entry_close(&e);
    }
    return verdict == (json_is_true(valid) ? 1 : 0);
}

/* --- signatures --- */

/* One entry of "sign": what is given, and what follows. */
struct sign {
    struct ts_place place; /* of P2 */
    const struct ts_point *X, *R;
    const struct ts_num *sigma, *k1, *V, *a, *beta;
    const uint8_t *nonce, *nonce_commit, *digest, *request;
    size_t digest_len, request_len;
    const struct ts_num *h, *delta, *r, *s;
    uint8_t request_hash[TS_HASH_BYTES];
};

static void
get_sign(struct entry *e, struct sign *out, const json_t *json)
{
    const struct ts_group *group = e->file->group;
    const uint8_t *sid = get_exact(e, json, "sid", TS_SID_BYTES);

    *out = (struct sign){.X = get_point(e, json, "X", group),
        .R = get_point(e, json, "R", group),
        .sigma = get_num(e, json, "sigma"),
        .k1 = get_num(e, json, "k1"),
        .V = get_num(e, json, "V"),
        .nonce = get_exact(e, json, "nonce", TS_NONCE_BYTES),
        .nonce_commit = get_exact(e, json, "nonce_commit", TS_HASH_BYTES)};
    out->digest = get_bytes(e, &out->digest_len, json, "digest");
    out->request = get_bytes(e, &out->request_len, json, "request");
    out->place = (struct ts_place){.mpc = e->file->mpc,
        .curve = e->file->curve,
        .sid_len = TS_SID_BYTES,
        .role = TS_ROLE_P2,
        .index = (uint32_t)get_count(e, json, "index", UINT32_MAX)};
    if (sid)
        memcpy(out->place.sid, sid, TS_SID_BYTES);
    if (is_null(json, "a") && is_null(json, "beta"))
        return;
    out->a = get_num(e, json, "a");
    out->beta = get_num(e, json, "beta");
}

/* The opening of the nonce, then h, the request's hash, delta and r, as both parties compute them. */
static bool
prepare(struct entry *e, struct sign *s)
{
    struct ts_place p1 = s->place;
    uint8_t commitment[TS_HASH_BYTES];

    p1.role = TS_ROLE_P1;
    if (ts_nonce_commitment(commitment, &s->place, s->nonce) != TS_OK ||
        memcmp(commitment, s->nonce_commit, sizeof commitment) != 0 ||
        ts_request_hash(s->request_hash, &p1, s->request, s->request_len) != TS_OK)
        return false;
    s->h = ts_digest_to_num(e->scope, e->file->group, s->digest, s->digest_len);
    s->delta = ts_delta(e->scope, &s->place, s->X, s->R, s->h, s->request_hash, s->nonce);
    s->r = ts_rerandomised_r(e->scope, e->file->group, s->delta, s->R);
    return s->r != NULL;
}

static bool
steps_hold(struct entry *e, struct sign *s)
{
    const struct ts_group *group = e->file->group;

    if (!prepare(e, s))
        return false;
    if (s->a && !ts_num_equal_vartime(s->sigma, ts_sign_p2(e->scope, group, s->a, s->beta, s->h, s->r)))
        return false;
    const struct ts_sign_p1_input in = {
        .X = s->X, .k1 = s->k1, .V = s->V, .h = s->h, .delta = s->delta, .r = s->r, .sigma = s->sigma};
    s->s = ts_sign_p1(e->scope, group, &in);
    return s->s != NULL;
}

/* A listed value is the computed one; the new reference is released. */
static bool
is_listed(const json_t *json, const char *label, json_t *computed)
{
    bool same = computed && json_equal(computed, json_object_get(json, label));

    json_decref(computed);
    return same;
}

static bool
all_listed(struct entry *e, const struct sign *s, const json_t *json)
{
    uint8_t signature[2 * TS_SCALAR_MAX_BYTES];

    if (ts_signature_encode(signature, e->file->group, s->r, s->s) != TS_OK)
        return false;
    return is_listed(json, "h", show_num(s->h)) && is_listed(json, "delta", show_num(s->delta)) &&
           is_listed(json, "request_hash", show_bytes(s->request_hash, sizeof s->request_hash)) &&
           is_listed(json, "r", show_num(s->r)) && is_listed(json, "s", show_num(s->s)) &&
           is_listed(json, "signature", show_bytes(signature, 2 * ts_group_scalar_bytes(e->file->group)));
}

/* The listed results of an entry that is not valid must still be of their form. */
static void
read_listed(struct entry *e, const json_t *json)
{
    size_t len;

    get_num(e, json, "h");
    get_num(e, json, "delta");
    get_num(e, json, "r");
    get_num(e, json, "s");
    get_exact(e, json, "request_hash", TS_HASH_BYTES);
    get_bytes(e, &len, json, "signature");
}

bool
check_sign(const struct vectors *file, const json_t *json)
{
    const json_t *valid = json_object_get(json, "valid");
    struct sign values;
    struct entry e;
    int verdict = -1;

    if (json_is_boolean(valid) && file->group && entry_open(&e, file)) {
        get_sign(&e, &values, json);
        read_listed(&e, json);
        bool accepted = entry_verdict(&e, true) == 1 && steps_hold(&e, &values) && all_listed(&e, &values, json);
        verdict = entry_verdict(&e, accepted);
        entry_close(&e);
    }
    return verdict == (json_is_true(valid) ? 1 : 0);
}
