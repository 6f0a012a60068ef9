#include "mpc/presign_run.h"

#include "base/secret.h"
#include "mpc/signature.h"

#include <string.h>

/** A batch of presignatures, P1's side. Source: protocol.md 6, protocol-equations.md 5. */

enum { COMMIT, OPEN, FINISH };

static enum ts_error
commit_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_opening *own = &run->entries[index].own;
    const struct ts_place place = ts_place_by(&run->place, TS_ROLE_P1, index);
    uint8_t c[TS_HASH_BYTES];

    (void)in;
    enum ts_error error = ts_presign_nonce(&own->R1, machine, scope, index, "k1");
    if (error == TS_OK)
        error = ts_known_point_commit(c, own->u, &place, &own->R1);
    if (error == TS_OK)
        ts_presign_commitment_put(out, c);
    return error;
}

static enum ts_error
commit(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    (void)scope, (void)in, (void)len;
    ts_presign_count_put(out, ts_presign_count(machine));
    return ts_presign_each(machine, commit_one, out, NULL);
}

static enum ts_error
open_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_group *group = ts_presign_group(machine);
    const struct ts_place from2 = ts_place_by(&run->place, TS_ROLE_P2, index);
    struct ts_presign_reply reply = {0};

    ts_presign_reply_take(&reply, scope, in, group);
    enum ts_error error = ts_scope_error(scope);
    if (error == TS_OK)
        error = in->error;
    if (error == TS_OK)
        error = ts_known_point_verify(&from2, &reply.R2);
    if (error != TS_OK)
        return error;
    entry->R2 = ts_point_copy(machine->scope, group, reply.R2.W);
    memcpy(entry->cn, reply.cn, sizeof entry->cn);
    ts_presign_opening_put(out, group, &entry->own);
    return TS_OK;
}

static enum ts_error
open_commitments(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    (void)scope;
    ts_reader_init(&reader, in, len);
    return ts_presign_each(machine, open_one, out, &reader);
}

/* Decrypts only what has been proved: a decryption of anything else would answer questions about x1 (protocol.md 11).
 */
static const struct ts_num *
verified_value(enum ts_error *error, const struct ts_presign_run *run, struct ts_scope *scope, uint32_t index,
    const struct ts_presign_affine *affine)
{
    const struct ts_trapdoor *key = &run->pairing->own;
    const struct ts_place from2 = ts_place_by(&run->place, TS_ROLE_P2, index);
    const struct ts_group *group = ts_mpc_group(run->place.mpc, run->place.curve);

    const struct ts_num *M = NULL;

    *error = ts_affine_range_decrypt(
        &M, scope, &from2, key, run->half->C, run->half->x, affine->D, run->entries[index].R2, &affine->proof);
    if (*error != TS_OK)
        return NULL;
    const struct ts_num *V = ts_presign_p1_value(scope, group, M);
    *error = ts_scope_error(scope);
    return V;
}

static enum ts_error
keep(struct ts_presign_run *run, struct ts_scope *scope, uint32_t index, const struct ts_num *V)
{
    struct ts_presign_entry *entry = &run->entries[index];
    const struct ts_group *group = ts_mpc_group(run->place.mpc, run->place.curve);
    size_t scalar_len = ts_group_scalar_bytes(group);
    const struct ts_point *R = ts_point_mul(scope, group, entry->k, entry->R2);

    if (!R)
        return ts_scope_error(scope);
    if (ts_point_is_infinity(group, R))
        return TS_CHEATED;
    struct ts_presig_p1 *presig = ts_secret_new(sizeof *presig);
    if (!presig)
        return TS_INTERNAL;
    entry->presig_p1 = presig;
    memcpy(presig->values.cn, entry->cn, sizeof presig->values.cn);
    enum ts_error error = ts_presign_owner(&presig->owner, run, index);
    if (error == TS_OK)
        error = ts_num_to_bytes(presig->values.k1, scalar_len, entry->k);
    if (error == TS_OK)
        error = ts_num_to_bytes(presig->values.V, scalar_len, V);
    if (error == TS_OK)
        error = ts_point_encode(presig->values.R, group, R);
    if (error == TS_OK)
        presig->state = TS_PRESIG_READY;
    return error;
}

static enum ts_error
finish_one(struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in)
{
    struct ts_presign_run *run = machine->run;
    struct ts_presign_affine affine = {0};

    (void)out;
    ts_presign_affine_take(&affine, scope, in, ts_presign_group(machine), run->pairing->bits);
    enum ts_error error = ts_scope_error(scope);
    if (error == TS_OK)
        error = in->error;
    if (error != TS_OK)
        return error;
    const struct ts_num *V = verified_value(&error, run, scope, index, &affine);
    return error == TS_OK ? keep(run, scope, index, V) : error;
}

static enum ts_error
finish(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    (void)scope;
    ts_reader_init(&reader, in, len);
    return ts_presign_each(machine, finish_one, out, &reader);
}

static const struct ts_state states[] = {
    [COMMIT] = {"SIGN_ROUND_1", false, commit, OPEN},
    [OPEN] = {"SIGN_ROUND_1", true, open_commitments, FINISH},
    [FINISH] = {"SIGN_ROUND_2", true, finish, TS_STATE_DONE},
};

const struct ts_machine_kind ts_presign_p1_kind = {states, sizeof(struct ts_presign_run), 0, ts_presign_clear};

enum ts_error
ts_presign_p1_new(struct ts_machine **out, const struct ts_presign_place *place, uint32_t count)
{
    *out = NULL;
    if (count == 0 || count > TS_BATCH_MAX)
        return TS_USAGE;
    return ts_presign_new(out, &ts_presign_p1_kind, TS_ROLE_P1, place, count);
}

enum ts_error
ts_presign_p1_take(struct ts_presig_p1 **out, struct ts_machine *machine, uint32_t index)
{
    *out = NULL;
    if (!ts_machine_has(machine, &ts_presign_p1_kind) || index >= ts_presign_count(machine))
        return TS_USAGE;
    struct ts_presign_entry *entry = &((struct ts_presign_run *)machine->run)->entries[index];
    *out = entry->presig_p1;
    entry->presig_p1 = NULL;
    return *out ? TS_OK : TS_USAGE;
}
