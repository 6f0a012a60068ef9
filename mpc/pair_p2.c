#include "mpc/pair_message.h"
#include "mpc/pair_run.h"

#include <string.h>

/** Pairing, P2's side. Source: protocol.md 4. */

enum { INIT, PARAMETERS, CONFIRM };

static enum ts_error
check_init(struct ts_pair_run *run, const struct ts_pair_init *message)
{
    struct ts_pairing *pairing = run->pairing;

    if (message->bits != pairing->bits)
        return TS_FORMAT;
    if (run->expected && memcmp(pairing->id, message->id, sizeof pairing->id) != 0)
        return TS_FORMAT;
    memcpy(pairing->id, message->id, sizeof pairing->id);
    return TS_OK;
}

static enum ts_error
answer_init(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_pair_run *run = machine->run;
    const struct ts_pedersen *own = &run->pairing->own.pedersen;
    const struct ts_hedge hedge = {.hk = run->hk};
    struct ts_pair_init init = {0};
    struct ts_pair_params2 message = {0};

    enum ts_error error = ts_pair_init_decode(&init, in, len);
    if (error == TS_OK)
        error = check_init(run, &init);
    if (error == TS_OK)
        error = ts_random(ts_mpc_env(machine->mpc), message.n2, sizeof message.n2);
    if (error == TS_OK)
        error = ts_pair_begin(machine, init.n1, message.n2);
    if (error == TS_OK)
        error = ts_ring_pedersen_prove(&message.ring, scope, &run->place, &hedge, &run->pairing->own);
    if (error != TS_OK)
        return error;
    message.N = ts_modulus_num(own->N);
    message.s = own->s;
    message.t = own->t;
    ts_pair_params2_encode(out, &message);
    return TS_OK;
}

static enum ts_error
verify(const struct ts_pair_run *run, const struct ts_pair_params1 *theirs)
{
    struct ts_place from1 = ts_place_by(&run->place, TS_ROLE_P1, 0);
    uint32_t bits = run->pairing->bits;

    enum ts_error error = ts_ring_pedersen_verify(&from1, bits, theirs->N, theirs->s, theirs->t, &theirs->ring);
    if (error == TS_OK)
        error = ts_paillier_blum_verify(&from1, bits, theirs->N, &theirs->blum);
    if (error == TS_OK)
        error = ts_no_small_factor_verify(&from1, bits, theirs->N, &run->pairing->own.pedersen, &theirs->factor);
    return error;
}

static enum ts_error
answer_parameters(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_pair_run *run = machine->run;
    struct ts_pair_params1 theirs = {0};

    enum ts_error error = ts_pair_params1_decode(&theirs, scope, in, len, run->pairing->bits);
    if (error == TS_OK)
        error = verify(run, &theirs);
    if (error == TS_OK)
        error = ts_pairing_join(run->pairing, machine->mpc, theirs.N, theirs.s, theirs.t);
    return error == TS_OK ? ts_machine_confirm(machine, out, &run->place, TS_ROLE_P2) : error;
}

static enum ts_error
take_confirmation(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_pair_run *run = machine->run;

    (void)scope, (void)out;
    return ts_machine_confirmed(machine, &run->place, TS_ROLE_P1, in, len);
}

static const struct ts_state states[] = {
    [INIT] = {"PRE_PARAMS", true, answer_init, PARAMETERS},
    [PARAMETERS] = {"PRE_PARAMS", true, answer_parameters, CONFIRM},
    [CONFIRM] = {"PRE_PARAMS", true, take_confirmation, TS_STATE_DONE},
};

const struct ts_machine_kind ts_pair_p2_kind = {states, sizeof(struct ts_pair_run), 3, ts_pair_clear};

enum ts_error
ts_pair_p2_new(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES])
{
    return ts_pair_new(out, mpc, &ts_pair_p2_kind, TS_ROLE_P2, bits, primes, primes_len, hk);
}

enum ts_error
ts_pair_p2_renew(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES], const uint8_t id[TS_PAIRING_ID_BYTES])
{
    *out = NULL;
    if (!id)
        return TS_USAGE;
    enum ts_error error = ts_pair_p2_new(out, mpc, bits, primes, primes_len, hk);
    if (error != TS_OK)
        return error;
    struct ts_pair_run *run = (*out)->run;
    memcpy(run->pairing->id, id, TS_PAIRING_ID_BYTES);
    run->expected = true;
    return TS_OK;
}
