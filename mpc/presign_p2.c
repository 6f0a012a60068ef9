#include "mpc/presign_run.h"

#include "base/secret.h"
#include "mpc/signature.h"

#include <string.h>

/** A batch of presignatures, P2's side. Source: protocol.md 6, protocol-equations.md 5. */

enum { COMMITMENTS, OPENINGS };

#define AFFINE_MAX ((size_t)1 << 16) /* of one D and its proof; under 8 KiB with 4096 bits */

/* k2, R2 with its proof, the nonce with its commitment: made at the request of P1, or before. */
static enum ts_error
prepare_reply(struct ts_machine *machine, struct ts_scope *scope, uint32_t index)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P2, index);

    if (entry->k)
        return TS_OK;
    enum ts_error error = ts_random(ts_mpc_env(machine->mpc), entry->nonce, sizeof entry->nonce);
    if (error == TS_OK)
        error = ts_nonce_commitment(entry->reply.cn, &place, entry->nonce);
    return error == TS_OK ? ts_presign_nonce(&entry->reply.R2, machine, scope, index, "k2") : error;
}

static enum ts_error
reply_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_entry *entry = &run->entries[index];

    ts_presign_commitment_take(entry->c, in);
    enum ts_error error = in->error;
    if (error == TS_OK)
        error = prepare_reply(machine, scope, index);
    if (error == TS_OK)
        ts_presign_reply_put(out, ts_presign_group(machine), &entry->reply);
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
keep(struct ts_presign_run *run, uint32_t index, const struct ts_point *R)
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
        error = ts_num_to_bytes(presig->values.a, scalar_len, entry->a);
    if (error == TS_OK)
        error = ts_num_to_bytes(presig->values.beta, scalar_len, entry->beta);
    if (error == TS_OK)
        error = ts_point_encode(presig->values.R, group, R);
    if (error == TS_OK)
        presig->state = TS_PRESIG_READY;
    return error;
}

/* D and its proof. */
static enum ts_error
compute(struct ts_presign_affine *out, struct ts_presign_run *run, struct ts_scope *scope, uint32_t index,
    const struct ts_num *beta, const struct ts_num **a)
{
    const struct ts_group *group = ts_mpc_group(run->place.mpc, run->place.curve);
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P2, index);
    const struct ts_hedge hedge = {.hk = run->half->hk};
    const struct ts_num *C = run->half->C, *b = NULL;
    const struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_point *R2 = entry->reply.R2.W;
    struct ts_paillier key = run->pairing->paillier;

    key.C = C;
    key.C_table = run->half->C_table;
    struct ts_stream *stream = stream_of_D(scope, run, &place, &hedge, R2);
    if (!stream)
        return ts_scope_error(scope);
    const struct ts_num *nu = ts_stream_bits(stream, TS_MASK_BITS(ts_group_bits(group)));
    const struct ts_num *rho = ts_stream_unit(stream, ts_modulus_num(key.N));
    enum ts_error error = ts_presign_p2_values(a, &b, scope, group, entry->k, run->half->x, beta, nu);
    if (error != TS_OK)
        return error;
    out->D = ts_num_publish(ts_paillier_affine(scope, &key, C, *a, b, rho), "D is sent");
    return out->D ? ts_affine_range_prove(
                        &out->proof, scope, &place, &hedge, &key, &run->pairing->p1, C, out->D, R2, *a, b, rho)
                  : ts_scope_error(scope);
}

/* D and its proof as bytes, and the secrets that stay: made at the request of P1, or before, for nothing of it depends
   on P1's point. The masks go with `scope`. */
static enum ts_error
prepare_affine(struct ts_machine *machine, struct ts_scope *scope, uint32_t index)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P2, index);
    const struct ts_hedge hedge = {.hk = run->half->hk};
    struct ts_presign_affine affine = {0};
    const struct ts_num *a = NULL;

    if (entry->a)
        return TS_OK;
    const struct ts_num *beta = ts_hedge_scalar(scope, &place, &hedge, "beta", NULL, 0, true);
    enum ts_error error = beta ? compute(&affine, run, scope, index, beta, &a) : ts_scope_error(scope);
    if (error != TS_OK)
        return error;
    ts_buf_init(&entry->affine, AFFINE_MAX);
    ts_presign_affine_put(&entry->affine, ts_presign_group(machine), &affine);
    entry->beta = ts_num_copy(machine->scope, beta);
    entry->a = ts_num_copy(machine->scope, a);
    error = ts_scope_error(machine->scope);
    return error == TS_OK ? ts_buf_error(&entry->affine) : error;
}

static enum ts_error
answer_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_place from1 = ts_place_by(&run->place, TS_ROLE_P1, index);
    const struct ts_group *group = ts_presign_group(machine);
    struct ts_presign_opening opening = {0};

    ts_presign_opening_take(&opening, scope, in, group);
    enum ts_error error = ts_scope_error(scope);
    if (error == TS_OK)
        error = in->error;
    if (error == TS_OK)
        error = ts_known_point_open(&from1, &opening.R1, opening.u, entry->c);
    if (error == TS_OK)
        error = prepare_affine(machine, scope, index);
    const struct ts_point *R = error == TS_OK ? ts_point_mul(scope, group, entry->k, opening.R1.W) : NULL;
    if (R)
        error = keep(run, index, R);
    if (R && error == TS_OK)
        error = ts_buf_put(out, entry->affine.data, entry->affine.len);
    ts_buf_clear(&entry->affine);
    return error == TS_OK ? ts_scope_error(scope) : error;
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

/* How many to prepare: what P1 asked for, once it has. */
static uint32_t
wanted(const struct ts_machine *machine, uint32_t count)
{
    const struct ts_presign_run *run = machine->run;
    uint32_t end = machine->state == COMMITMENTS ? count : run->count;

    return end < TS_BATCH_MAX ? end : TS_BATCH_MAX;
}

/* The first index of which something is missing; `end` when there is none. */
static uint32_t
unprepared(const struct ts_machine *machine, uint32_t end)
{
    const struct ts_presign_run *run = machine->run;
    uint32_t index = 0;

    while (index < end && run->entries[index].a)
        index++;
    return index;
}

static enum ts_error
prepare_one(struct ts_machine *machine, struct ts_scope *scope, void *ctx)
{
    const uint32_t *index = ctx;

    enum ts_error error = prepare_reply(machine, scope, *index);
    return error == TS_OK ? prepare_affine(machine, scope, *index) : error;
}

enum ts_error
ts_presign_p2_idle(bool *more, struct ts_machine *machine, uint32_t count)
{
    *more = false;
    if (!machine || machine->kind != &ts_presign_p2_kind || machine->state >= TS_STATE_DONE)
        return TS_USAGE;
    uint32_t end = wanted(machine, count), index = unprepared(machine, end);
    if (index >= end)
        return TS_OK;
    enum ts_error error = ts_machine_work(machine, prepare_one, &index);
    *more = error == TS_OK && index + 1 < end;
    return error;
}
