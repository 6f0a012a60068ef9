#include "tests/bench.h"

#include "tests/safe_primes.h"

#include <string.h>

#define PAYLOAD_MAX ((size_t)1 << 20)

/* As long as a usual request: index, key, generation, mechanism, digest, label, application, host, user. */
static const uint8_t request[160] = "request";
static const uint8_t digest[64] = {1, 2, 3};

/* The clock and the counter of one party. */
static double
begin(const struct bench_setting *setting)
{
    bench_count_reset(setting->bits);
    return bench_now_ms();
}

static void
end(struct bench_run *run, enum bench_party party, double start)
{
    double ms = bench_now_ms() - start;
    struct bench_count count = bench_count_get();

    for (int i = 0; i < 2; i++) {
        enum bench_party of = i ? BENCH_BOTH : party;
        run->ms[of] += ms;
        run->count[of].calls += count.calls;
        run->count[of].full += count.full;
        run->count[of].work += count.work;
    }
}

static void
pump(struct bench_run *run, const struct bench_setting *setting, struct ts_machine *machines[2])
{
    struct ts_buf in, out;

    ts_buf_init(&in, PAYLOAD_MAX);
    ts_buf_init(&out, PAYLOAD_MAX);
    for (unsigned turn = 0; !ts_machine_done(machines[0]) || !ts_machine_done(machines[1]); turn++) {
        double start = begin(setting);
        bench_require(ts_machine_step(machines[turn % 2], &out, turn ? in.data : NULL, in.len) == TS_OK);
        end(run, turn % 2 ? BENCH_P2 : BENCH_P1, start);
        run->bytes += out.len;
        ts_buf_clear(&in);
        ts_buf_put(&in, out.data, out.len);
        ts_buf_clear(&out);
    }
    ts_buf_clear(&in);
    ts_buf_clear(&out);
}

/* The second time with the pairing's id, and the primes of the two exchanged: the parameters of a refresh. */
static void
pair(struct bench_run *run, struct bench_setting *setting, struct ts_pairing *out[2], const struct ts_pairing *old)
{
    static const uint8_t hk[2][TS_HEDGE_KEY_BYTES] = {{1}, {2}};
    const struct ts_mpc *mpc = setting->parties.mpc;
    struct ts_machine *machines[2];
    uint8_t primes[2][512];
    uint8_t confirmation[TS_HASH_BYTES];
    uint32_t bits = setting->bits, len = setting->bits / 8;

    for (unsigned i = 0; i < 2; i++)
        bench_require(load_safe_primes(primes[i], bits, old ? 1 - i : i));
    double start = begin(setting);
    bench_require((old ? ts_pair_p1_renew(&machines[0], mpc, bits, primes[0], len, hk[0], old->id)
                       : ts_pair_p1_new(&machines[0], mpc, bits, primes[0], len, hk[0])) == TS_OK);
    end(run, BENCH_P1, start);
    start = begin(setting);
    bench_require((old ? ts_pair_p2_renew(&machines[1], mpc, bits, primes[1], len, hk[1], old->id)
                       : ts_pair_p2_new(&machines[1], mpc, bits, primes[1], len, hk[1])) == TS_OK);
    end(run, BENCH_P2, start);
    pump(run, setting, machines);
    for (int i = 0; i < 2; i++) {
        ts_pairing_free(out[i]);
        bench_require(ts_pair_take(&out[i], confirmation, machines[i]) == TS_OK);
        ts_machine_free(machines[i]);
    }
}

void
bench_pairing(struct bench_run *run, struct bench_setting *setting)
{
    pair(run, setting, setting->parties.pairing, NULL);
}

static void
open_bare(struct parties *parties)
{
    bench_require(ts_env_init(&parties->env) == TS_OK);
    bench_require(ts_mpc_new(&parties->mpc, &parties->env) == TS_OK);
    bench_require(ts_random(&parties->env, parties->n1, sizeof parties->n1) == TS_OK);
    bench_require(ts_random(&parties->env, parties->n2, sizeof parties->n2) == TS_OK);
}

void
bench_setting_open(struct bench_setting *setting, uint32_t bits)
{
    struct bench_run run = {0};

    *setting = (struct bench_setting){.bits = bits};
    open_bare(&setting->parties);
    bench_pairing(&run, setting);
    pair(&run, setting, setting->fresh, setting->parties.pairing[0]);
}

void
bench_setting_close(struct bench_setting *setting)
{
    ts_pairing_free(setting->fresh[0]);
    ts_pairing_free(setting->fresh[1]);
    for (int i = 0; i < 2; i++) {
        ts_half_free(setting->parties.half[i]);
        ts_pairing_free(setting->parties.pairing[i]);
    }
    ts_mpc_free(setting->parties.mpc);
    ts_env_clear(&setting->parties.env);
}

void
bench_keygen(struct bench_run *run, struct bench_setting *setting)
{
    struct parties *parties = &setting->parties;
    struct ts_machine *machines[2];
    uint8_t key[TS_KEY_ID_BYTES] = {7}, confirmation[TS_HASH_BYTES];

    double start = begin(setting);
    bench_require(ts_keygen_p1_new(&machines[0], parties->mpc, parties->pairing[0], setting->curve, key) == TS_OK);
    end(run, BENCH_P1, start);
    start = begin(setting);
    bench_require(ts_keygen_p2_new(&machines[1], parties->mpc, parties->pairing[1]) == TS_OK);
    end(run, BENCH_P2, start);
    pump(run, setting, machines);
    for (int i = 0; i < 2; i++) {
        ts_half_free(parties->half[i]);
        bench_require(ts_keygen_take(&parties->half[i], confirmation, machines[i]) == TS_OK);
        ts_machine_free(machines[i]);
    }
}

void
bench_refresh(struct bench_run *run, struct bench_setting *setting)
{
    struct parties *parties = &setting->parties;
    struct ts_machine *machines[2];
    struct ts_half *half;
    uint8_t confirmation[TS_HASH_BYTES];

    double start = begin(setting);
    bench_require(ts_refresh_p1_new(&machines[0], parties->mpc, setting->fresh[0], parties->half[0]) == TS_OK);
    end(run, BENCH_P1, start);
    start = begin(setting);
    bench_require(ts_refresh_p2_new(&machines[1], parties->mpc, setting->fresh[1], parties->half[1]) == TS_OK);
    end(run, BENCH_P2, start);
    pump(run, setting, machines);
    for (int i = 0; i < 2; i++) {
        bench_require(ts_refresh_take(&half, confirmation, machines[i]) == TS_OK);
        ts_half_free(half);
        ts_machine_free(machines[i]);
    }
}

/* A batch of one. */
static void
presign(struct bench_run *run, struct bench_setting *setting, bool prepared, struct ts_presig_p1 **p1,
    struct ts_presig_p2 **p2)
{
    struct parties *parties = &setting->parties;
    struct ts_machine *machines[2];
    struct ts_presign_place place = {
        .mpc = parties->mpc, .n1 = parties->n1, .n2 = parties->n2, .batch = setting->batch++};

    place.pairing = parties->pairing[0];
    place.half = parties->half[0];
    double start = begin(setting);
    bench_require(ts_presign_p1_new(&machines[0], &place, 1) == TS_OK);
    end(run, BENCH_P1, start);
    place.pairing = parties->pairing[1];
    place.half = parties->half[1];
    start = begin(setting);
    bench_require(ts_presign_p2_new(&machines[1], &place) == TS_OK);
    end(run, BENCH_P2, start);
    bool more;
    bench_require(!prepared || ts_presign_p2_idle(&more, machines[1], 1) == TS_OK);
    pump(run, setting, machines);
    bench_require(ts_presign_p1_take(p1, machines[0], 0) == TS_OK);
    bench_require(ts_presign_p2_take(p2, machines[1], 0) == TS_OK);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
}

/* One request, one answer. */
static void
sign(struct bench_run *run, struct bench_setting *setting, struct ts_presig_p1 *p1, struct ts_presig_p2 *p2)
{
    uint8_t signature[2 * TS_SCALAR_MAX_BYTES];
    struct ts_buf answer;

    ts_buf_init(&answer, 1024);
    double start = begin(setting);
    bench_require(ts_presig_p2_bind(p2, request, sizeof request) == TS_OK);
    bench_require(ts_presig_p2_answer(&answer, p2, digest, sizeof digest) == TS_OK);
    end(run, BENCH_P2, start);
    start = begin(setting);
    bench_require(ts_presig_p1_finish(
                      signature, p1, request, sizeof request, digest, sizeof digest, answer.data, answer.len) == TS_OK);
    end(run, BENCH_P1, start);
    run->bytes += sizeof request + answer.len;
    ts_buf_clear(&answer);
    ts_presig_p1_free(p1);
    ts_presig_p2_free(p2);
}

void
bench_presign_cold(struct bench_run *run, struct bench_setting *setting)
{
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;

    presign(run, setting, false, &p1, &p2);
    ts_presig_p1_free(p1);
    ts_presig_p2_free(p2);
}

void
bench_presign_idle_done(struct bench_run *run, struct bench_setting *setting)
{
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;

    presign(run, setting, true, &p1, &p2);
    ts_presig_p1_free(p1);
    ts_presig_p2_free(p2);
}

void
bench_online(struct bench_run *run, struct bench_setting *setting)
{
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;
    struct bench_run before = {0};

    presign(&before, setting, false, &p1, &p2);
    sign(run, setting, p1, p2);
}

void
bench_sign_cold(struct bench_run *run, struct bench_setting *setting)
{
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;

    presign(run, setting, false, &p1, &p2);
    sign(run, setting, p1, p2);
}
