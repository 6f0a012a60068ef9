#include "mpc/pair_run.h"

#include <string.h>

void
ts_pair_clear(void *run)
{
    struct ts_pair_run *pair = run;

    ts_pairing_free(pair->pairing);
    pair->pairing = NULL;
}

static enum ts_error
fill(struct ts_machine *machine, uint8_t role, uint32_t bits, const uint8_t *primes,
    const uint8_t hk[TS_HEDGE_KEY_BYTES])
{
    struct ts_pair_run *run = machine->run;
    size_t prime_len = bits / 16;

    memcpy(run->hk, hk, sizeof run->hk);
    run->p = ts_num_from_bytes(machine->scope, primes, prime_len);
    run->q = ts_num_from_bytes(machine->scope, primes + prime_len, prime_len);
    enum ts_error error = ts_pairing_new(&run->pairing);
    if (error != TS_OK)
        return error;
    run->pairing->role = role;
    run->pairing->bits = bits;
    return ts_scope_error(machine->scope);
}

enum ts_error
ts_pair_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind, uint8_t role,
    uint32_t bits, const uint8_t *primes, size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES])
{
    *out = NULL;
    if (!mpc || !primes || !hk || !ts_parameters_allowed(TS_CURVE_NONE, bits) || primes_len != bits / 8)
        return TS_USAGE;
    enum ts_error error = ts_machine_new(out, mpc, kind);
    if (error == TS_OK)
        error = fill(*out, role, bits, primes, hk);
    if (error != TS_OK) {
        ts_machine_free(*out);
        *out = NULL;
    }
    return error;
}

enum ts_error
ts_pair_begin(struct ts_machine *machine, const uint8_t n1[TS_NONCE_BYTES], const uint8_t n2[TS_NONCE_BYTES])
{
    struct ts_pair_run *run = machine->run;
    struct ts_pairing *pairing = run->pairing;
    struct ts_sid_fields fields = {
        .pairing = pairing->id, .pairing_len = sizeof pairing->id, .purpose = "pair", .n1 = n1, .n2 = n2};
    const struct ts_hedge hedge = {.hk = run->hk};

    run->place = (struct ts_place){.mpc = machine->mpc, .sid_len = TS_SID_BYTES, .role = pairing->role};
    enum ts_error error = ts_sid(run->place.sid, machine->mpc, &fields);
    if (error != TS_OK)
        return error;
    return ts_trapdoor_draw(&pairing->own, pairing->scope, pairing->bits, run->p, run->q, &run->place, &hedge);
}

enum ts_error
ts_pair_take(struct ts_pairing **out, uint8_t confirmation[TS_HASH_BYTES], struct ts_machine *machine)
{
    *out = NULL;
    if (!ts_machine_has(machine, &ts_pair_p1_kind) && !ts_machine_has(machine, &ts_pair_p2_kind))
        return TS_USAGE;
    struct ts_pair_run *run = machine->run;
    if (!run->pairing)
        return TS_USAGE;
    memcpy(confirmation, machine->confirmation, TS_HASH_BYTES);
    *out = run->pairing;
    run->pairing = NULL;
    return TS_OK;
}
