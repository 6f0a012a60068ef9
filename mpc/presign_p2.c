#include "mpc/presign_run.h"

#include "base/secret.h"
#include "mpc/signature.h"

#include <string.h>

/** A batch of presignatures, P2's side. Source: protocol.md 6, protocol-equations.md 5. */

enum { COMMITMENTS, OPENINGS };

static enum ts_error
reply_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P2, index);
    struct ts_presign_reply reply = {0};

    ts_presign_commitment_take(entry->c, in);
    enum ts_error error = in->error;
    if (error == TS_OK)
        error = ts_presign_nonce(&reply.R2, machine, scope, index, "k2");
    if (error == TS_OK)
        error = ts_random(ts_mpc_env(machine->mpc), entry->nonce, sizeof entry->nonce);
    if (error == TS_OK)
        error = ts_nonce_commitment(reply.cn, &place, entry->nonce);
    if (error == TS_OK)
        ts_presign_reply_put(out, ts_presign_group(machine), &reply);
    return error;
}

static enum ts_error
reply(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_presign_run *run = machine->run;
    struct ts_reader reader;

    (void)scope;
    ts_reader_init(&reader, in, len);
    run->count = ts_presign_count_take(&reader);
    return run->count ? ts_presign_each(machine, reply_one, out, &reader) : TS_FORMAT;
}

/* The stream of nu and of D's encryption randomness, bound to the statement. */
static struct ts_stream *
stream_of_D(struct ts_scope *scope, const struct ts_presign_run *run, const struct ts_place *place,
    const struct ts_hedge *hedge, const struct ts_point *R2)
{
    const struct ts_pedersen *v = &run->pairing->p1;
    struct ts_buf transcript;
    uint8_t bind[TS_HASH_BYTES];

    ts_transcript_init(&transcript, place, "D");
    ts_item_put_int(&transcript, "N", ts_modulus_num(v->N));
    ts_item_put_int(&transcript, "sv", v->s);
    ts_item_put_int(&transcript, "tv", v->t);
    ts_item_put_int(&transcript, "C", run->half->C);
    ts_item_put_point(&transcript, "R2", ts_mpc_group(place->mpc, place->curve), R2);
    enum ts_error error = ts_hash_32(bind, place->mpc, &transcript);
    ts_buf_clear(&transcript);
    if (error == TS_OK)
        return ts_hedge_stream(scope, place, hedge, "D", bind, sizeof bind);
    ts_scope_fail(scope, error);
    return NULL;
}

static enum ts_error
keep(struct ts_presign_run *run, uint32_t index, const struct ts_num *a, const struct ts_num *beta,
    const struct ts_point *R)
{
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_group *group = ts_mpc_group(run->place.mpc, run->place.curve);
    size_t scalar_len = ts_group_scalar_bytes(group);

    if (ts_point_is_infinity(group, R))
        return TS_CHEATED;
    struct ts_presig_p2 *presig = ts_secret_new(sizeof *presig);
    if (!presig)
        return TS_INTERNAL;
    entry->presig_p2 = presig;
    memcpy(presig->values.nonce, entry->nonce, sizeof presig->values.nonce);
    enum ts_error error = ts_presign_owner(&presig->owner, run, index);
    if (error == TS_OK)
        error = ts_num_to_bytes(presig->values.a, scalar_len, a);
    if (error == TS_OK)
        error = ts_num_to_bytes(presig->values.beta, scalar_len, beta);
    if (error == TS_OK)
        error = ts_point_encode(presig->values.R, group, R);
    if (error == TS_OK)
        presig->state = TS_PRESIG_READY;
    return error;
}

/* D, its proof, and what stays. */
static enum ts_error
compute(struct ts_presign_affine *out, struct ts_presign_run *run, struct ts_scope *scope, uint32_t index,
    const struct ts_point *R1)
{
    const struct ts_group *group = ts_mpc_group(run->place.mpc, run->place.curve);
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P2, index);
    const struct ts_hedge hedge = {.hk = run->half->hk};
    const struct ts_num *C = run->half->C;
    struct ts_paillier own_key = run->pairing->paillier;
    const struct ts_paillier *key = &own_key;
    const struct ts_num *k2 = run->entries[index].k;
    const struct ts_num *a = NULL, *b = NULL;

    own_key.C = C;
    own_key.C_table = run->half->C_table;
    const struct ts_point *R2 = ts_point_mul_base(scope, group, k2);
    const struct ts_point *R = ts_point_mul(scope, group, k2, R1);
    const struct ts_num *beta = ts_hedge_scalar(scope, &place, &hedge, "beta", NULL, 0, true);
    struct ts_stream *stream = R2 ? stream_of_D(scope, run, &place, &hedge, R2) : NULL;
    if (!R || !beta || !stream)
        return ts_scope_error(scope);
    const struct ts_num *nu = ts_stream_bits(stream, TS_MASK_BITS(ts_group_bits(group)));
    const struct ts_num *rho = ts_stream_unit(stream, ts_modulus_num(key->N));
    enum ts_error error = ts_presign_p2_values(&a, &b, scope, group, k2, run->half->x, beta, nu);
    if (error != TS_OK)
        return error;
    out->D = ts_num_publish(ts_paillier_affine(scope, key, C, a, b, rho), "D is sent");
    error = out->D ? ts_affine_range_prove(
                         &out->proof, scope, &place, &hedge, key, &run->pairing->p1, C, out->D, R2, a, b, rho)
                   : ts_scope_error(scope);
    return error == TS_OK ? keep(run, index, a, beta, R) : error;
}

static enum ts_error
answer_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    const struct ts_place from1 = ts_place_by(&run->place, TS_ROLE_P1, index);
    const struct ts_group *group = ts_presign_group(machine);
    struct ts_presign_opening opening = {0};
    struct ts_presign_affine affine = {0};

    ts_presign_opening_take(&opening, scope, in, group);
    enum ts_error error = ts_scope_error(scope);
    if (error == TS_OK)
        error = in->error;
    if (error == TS_OK)
        error = ts_known_point_open(&from1, &opening.R1, opening.u, run->entries[index].c);
    if (error == TS_OK)
        error = compute(&affine, run, scope, index, opening.R1.W);
    if (error == TS_OK)
        ts_presign_affine_put(out, group, &affine);
    return error;
}

static enum ts_error
answer(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    (void)scope;
    ts_reader_init(&reader, in, len);
    return ts_presign_each(machine, answer_one, out, &reader);
}

static const struct ts_state states[] = {
    [COMMITMENTS] = {"SIGN_ROUND_1", true, reply, OPENINGS},
    [OPENINGS] = {"SIGN_ROUND_2", true, answer, TS_STATE_DONE},
};

const struct ts_machine_kind ts_presign_p2_kind = {states, sizeof(struct ts_presign_run), 0, ts_presign_clear};

enum ts_error
ts_presign_p2_new(struct ts_machine **out, const struct ts_presign_place *place)
{
    return ts_presign_new(out, &ts_presign_p2_kind, TS_ROLE_P2, place, 0);
}

enum ts_error
ts_presign_p2_take(struct ts_presig_p2 **out, struct ts_machine *machine, uint32_t index)
{
    *out = NULL;
    if (!ts_machine_has(machine, &ts_presign_p2_kind) || index >= ts_presign_count(machine))
        return TS_USAGE;
    struct ts_presign_entry *entry = &((struct ts_presign_run *)machine->run)->entries[index];
    *out = entry->presig_p2;
    entry->presig_p2 = NULL;
    return *out ? TS_OK : TS_USAGE;
}
