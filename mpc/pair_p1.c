#include "mpc/pair_message.h"
#include "mpc/pair_run.h"

#include <string.h>

/** Pairing, P1's side. Source: protocol.md 4. */

enum { INIT, PARAMETERS, CONFIRM };

static enum ts_error
send_init(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_pair_run *run = machine->run;
    struct ts_pair_init message = {.bits = run->pairing->bits};

    (void)scope, (void)in, (void)len;
    enum ts_error error = ts_random(ts_mpc_env(machine->mpc), run->n1, sizeof run->n1);
    if (error != TS_OK)
        return error;
    memcpy(message.id, run->pairing->id, sizeof message.id);
    memcpy(message.n1, run->n1, sizeof message.n1);
    ts_pair_init_encode(out, &message);
    return TS_OK;
}

static enum ts_error
prove(struct ts_pair_params1 *message, struct ts_scope *scope, const struct ts_pair_run *run)
{
    const struct ts_pairing *pairing = run->pairing;
    const struct ts_hedge hedge = {.hk = run->hk};

    message->N = ts_modulus_num(pairing->p1.N);
    message->s = pairing->p1.s;
    message->t = pairing->p1.t;
    enum ts_error error = ts_ring_pedersen_prove(&message->ring, scope, &run->place, &hedge, &pairing->own);
    if (error == TS_OK)
        error = ts_paillier_blum_prove(&message->blum, scope, &run->place, &hedge, &pairing->own);
    if (error == TS_OK)
        error = ts_no_small_factor_prove(&message->factor, scope, &run->place, &hedge, &pairing->own, &pairing->p2);
    return error;
}

/* P2's parameters are used only after their proof was found good. */
static enum ts_error
answer_parameters(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_pair_run *run = machine->run;
    uint32_t bits = run->pairing->bits;
    struct ts_pair_params2 theirs = {0};
    struct ts_pair_params1 own = {0};

    enum ts_error error = ts_pair_params2_decode(&theirs, scope, in, len, bits);
    if (error == TS_OK)
        error = ts_pair_begin(machine, run->n1, theirs.n2);
    if (error != TS_OK)
        return error;
    struct ts_place from2 = ts_place_by(&run->place, TS_ROLE_P2, 0);
    error = ts_ring_pedersen_verify(&from2, bits, theirs.N, theirs.s, theirs.t, &theirs.ring);
    if (error == TS_OK)
        error = ts_pairing_join(run->pairing, machine->mpc, theirs.N, theirs.s, theirs.t);
    if (error == TS_OK)
        error = prove(&own, scope, run);
    if (error == TS_OK)
        ts_pair_params1_encode(out, &own);
    return error;
}

static enum ts_error
take_confirmation(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_pair_run *run = machine->run;
    enum ts_error error = ts_machine_confirmed(machine, &run->place, TS_ROLE_P2, in, len);

    (void)scope;
    return error == TS_OK ? ts_machine_confirm(machine, out, &run->place, TS_ROLE_P1) : error;
}

static const struct ts_state states[] = {
    [INIT] = {"PRE_PARAMS", false, send_init, PARAMETERS},
    [PARAMETERS] = {"PRE_PARAMS", true, answer_parameters, CONFIRM},
    [CONFIRM] = {"PRE_PARAMS", true, take_confirmation, TS_STATE_DONE},
};

const struct ts_machine_kind ts_pair_p1_kind = {states, sizeof(struct ts_pair_run), 3, ts_pair_clear};

enum ts_error
ts_pair_p1_renew(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES], const uint8_t id[TS_PAIRING_ID_BYTES])
{
    *out = NULL;
    if (!id)
        return TS_USAGE;
    enum ts_error error = ts_pair_new(out, mpc, &ts_pair_p1_kind, TS_ROLE_P1, bits, primes, primes_len, hk);
    if (error != TS_OK)
        return error;
    struct ts_pair_run *run = (*out)->run;
    memcpy(run->pairing->id, id, TS_PAIRING_ID_BYTES);
    return TS_OK;
}

enum ts_error
ts_pair_p1_new(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES])
{
    uint8_t id[TS_PAIRING_ID_BYTES];

    *out = NULL;
    if (!mpc)
        return TS_USAGE;
    enum ts_error error = ts_random(ts_mpc_env(mpc), id, sizeof id);
    return error == TS_OK ? ts_pair_p1_renew(out, mpc, bits, primes, primes_len, hk, id) : error;
}
