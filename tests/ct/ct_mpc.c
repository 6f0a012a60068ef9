#include "mpc/half_make.h"
#include "mpc/keygen_run.h"
#include "mpc/machine.h"
#include "mpc/point_library.h"
#include "mpc/presig.h"
#include "mpc/proof.h"
#include "tests/safe_primes.h"

#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

/* Runs both parties with everything that is secret marked as undefined, under valgrind: a branch or an address that
 * depends on a secret is a use of undefined memory. What is sent is public, so it is defined when it arrives.
 * Usage: ct_mpc PART..., by make check-ct. */

#define BITS 2048u
#define BYTES ((size_t)BITS / 8)
#define PAYLOAD_MAX ((size_t)1 << 20)
#define SEED_RANDOM 64 /* what the hedged stream draws; all other draws are ids and nonces that are sent */

struct world {
    struct ts_env env, dice;
    struct ts_mpc *mpc;
    struct ts_pairing *pairing[2];
    struct ts_half *half[2];
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;
    uint8_t n1[TS_NONCE_BYTES], n2[TS_NONCE_BYTES];
};

/* Ends a run that did not do its work; nothing is proved then. */
static void
need(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "ct_mpc: %s failed\n", what);
    exit(2);
}

static enum ts_error
draw(void *ctx, uint8_t *out, size_t len)
{
    const struct ts_env *dice = ctx;
    enum ts_error error = ts_random(dice, out, len);

    VALGRIND_MAKE_MEM_DEFINED(out, len);
    if (len == SEED_RANDOM)
        VALGRIND_MAKE_MEM_UNDEFINED(out, len);
    return error;
}

static const struct ts_num *
secret_number(struct ts_scope *scope, const uint8_t *bytes, size_t len)
{
    uint8_t copy[BYTES];

    memcpy(copy, bytes, len);
    VALGRIND_MAKE_MEM_UNDEFINED(copy, len);
    return ts_num_from_bytes(scope, copy, len);
}

/* What a pairing run leaves, with secret primes and lambda. */
static void
open_pairing(struct ts_pairing **out, unsigned role, unsigned primes_pair)
{
    uint8_t primes[BYTES], lambda[BYTES - 8];
    struct ts_pairing *pairing = NULL;

    need(load_safe_primes(primes, BITS, primes_pair) && ts_pairing_new(&pairing) == TS_OK, "loading primes");
    struct ts_scope *scope = pairing->scope;
    pairing->role = role ? TS_ROLE_P2 : TS_ROLE_P1;
    pairing->bits = BITS;
    memset(lambda, 0x5a, sizeof lambda);
    need(ts_trapdoor_init(&pairing->own, scope, BITS, secret_number(scope, primes, BYTES / 2),
             secret_number(scope, primes + BYTES / 2, BYTES / 2), ts_num_from_u64(scope, UINT64_C(65537) * 65537),
             secret_number(scope, lambda, sizeof lambda)) == TS_OK,
        "opening a key");
    *out = pairing;
}

/* Both sides' parameters, joined; `first` says from which primes. */
static void
open_pairings(struct ts_pairing *pairing[2], const struct ts_mpc *mpc, unsigned first)
{
    for (unsigned role = 0; role < 2; role++)
        open_pairing(&pairing[role], role, first + role);
    for (unsigned role = 0; role < 2; role++) {
        const struct ts_pedersen *other = &pairing[1 - role]->own.pedersen;
        need(ts_pairing_join(pairing[role], mpc, ts_modulus_num(other->N), other->s, other->t) == TS_OK, "joining");
    }
}

static void
open_world(struct world *world)
{
    need(ts_env_init(&world->env) == TS_OK, "the environment");
    world->dice = world->env;
    world->env.entropy = (struct ts_entropy){&world->dice, draw};
    need(ts_mpc_new(&world->mpc, &world->env) == TS_OK, "the library");
    open_pairings(world->pairing, world->mpc, 0);
    memset(world->n1, 1, sizeof world->n1);
    memset(world->n2, 2, sizeof world->n2);
}

static void
pump(struct ts_machine *first, struct ts_machine *second, const char *what)
{
    struct ts_machine *machines[2] = {first, second};
    struct ts_buf in, out;

    ts_buf_init(&in, PAYLOAD_MAX);
    ts_buf_init(&out, PAYLOAD_MAX);
    for (unsigned turn = 0; !ts_machine_done(first) || !ts_machine_done(second); turn++) {
        need(ts_machine_step(machines[turn % 2], &out, turn ? in.data : NULL, in.len) == TS_OK, what);
        VALGRIND_MAKE_MEM_DEFINED(out.data, out.len);
        ts_buf_clear(&in);
        ts_buf_put(&in, out.data, out.len);
        ts_buf_clear(&out);
    }
    ts_buf_clear(&in);
}

static void
keygen(struct world *world)
{
    static const uint8_t key[TS_KEY_ID_BYTES] = {7};
    struct ts_machine *machines[2];
    uint8_t confirmation[TS_HASH_BYTES];

    need(ts_keygen_p1_new(&machines[0], world->mpc, world->pairing[0], TS_CURVE_P256, key) == TS_OK, "keygen");
    need(ts_keygen_p2_new(&machines[1], world->mpc, world->pairing[1]) == TS_OK, "keygen");
    pump(machines[0], machines[1], "keygen");
    for (unsigned role = 0; role < 2; role++) {
        need(ts_keygen_take(&world->half[role], confirmation, machines[role]) == TS_OK, "keygen");
        VALGRIND_MAKE_MEM_UNDEFINED(world->half[role]->hk, sizeof world->half[role]->hk);
        ts_machine_free(machines[role]);
    }
}

static void
presign(struct world *world)
{
    struct ts_machine *machines[2];
    struct ts_presign_place place = {.mpc = world->mpc, .n1 = world->n1, .n2 = world->n2};

    place.pairing = world->pairing[0];
    place.half = world->half[0];
    need(ts_presign_p1_new(&machines[0], &place, 1) == TS_OK, "presign");
    place.pairing = world->pairing[1];
    place.half = world->half[1];
    need(ts_presign_p2_new(&machines[1], &place) == TS_OK, "presign");
    pump(machines[0], machines[1], "presign");
    need(ts_presign_p1_take(&world->p1, machines[0], 0) == TS_OK, "presign");
    need(ts_presign_p2_take(&world->p2, machines[1], 0) == TS_OK, "presign");
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
}

static void
sign(struct world *world)
{
    static const uint8_t request[] = "request", digest[32] = {1, 2, 3};
    uint8_t signature[2 * TS_SCALAR_MAX_BYTES];
    struct ts_buf answer;

    ts_buf_init(&answer, 1024);
    need(ts_presig_p2_bind(world->p2, request, sizeof request) == TS_OK, "bind");
    need(ts_presig_p2_answer(&answer, world->p2, digest, sizeof digest) == TS_OK, "answer");
    VALGRIND_MAKE_MEM_DEFINED(answer.data, answer.len);
    need(ts_presig_p1_finish(
             signature, world->p1, request, sizeof request, digest, sizeof digest, answer.data, answer.len) == TS_OK,
        "finish");
    ts_buf_clear(&answer);
}

/* Under new parameters; the halves that come out are not used. */
static void
refresh(struct world *world)
{
    struct ts_pairing *fresh[2];
    struct ts_machine *machines[2];
    uint8_t confirmation[TS_HASH_BYTES];

    open_pairings(fresh, world->mpc, 2);
    need(ts_refresh_p1_new(&machines[0], world->mpc, fresh[0], world->half[0]) == TS_OK, "refresh");
    need(ts_refresh_p2_new(&machines[1], world->mpc, fresh[1], world->half[1]) == TS_OK, "refresh");
    pump(machines[0], machines[1], "refresh");
    for (unsigned role = 0; role < 2; role++) {
        struct ts_half *half = NULL;
        need(ts_refresh_take(&half, confirmation, machines[role]) == TS_OK, "refresh");
        ts_half_free(half);
        ts_machine_free(machines[role]);
        ts_pairing_free(fresh[role]);
    }
}

/* Half and pairing as they go to the store and come back, with their secrets undefined again. */
static void
store(struct world *world)
{
    for (unsigned role = 0; role < 2; role++) {
        struct ts_buf bytes;
        struct ts_half *half = NULL;
        ts_buf_init_secret(&bytes, PAYLOAD_MAX);
        need(ts_half_encode(&bytes, world->mpc, world->half[role]) == TS_OK, "encoding a half");
        VALGRIND_MAKE_MEM_DEFINED(bytes.data, bytes.len);
        VALGRIND_MAKE_MEM_UNDEFINED(bytes.data + bytes.len - 32, 32); /* the share is its last item */
        need(ts_half_decode(&half, world->mpc, bytes.data, bytes.len) == TS_OK, "decoding a half");
        ts_half_free(half);
        ts_buf_clear(&bytes);
    }
}

/* Pi-fac of P1: the one proof of a pairing whose witness goes into few exponentiations. */
static void
factor(struct world *world)
{
    static const uint8_t hk[TS_HEDGE_KEY_BYTES] = {9};
    const struct ts_place place = {.mpc = world->mpc, .sid_len = TS_SID_BYTES, .role = TS_ROLE_P1};
    const struct ts_hedge hedge = {.hk = hk};
    struct ts_no_small_factor proof;
    struct ts_scope *scope = NULL;

    need(ts_scope_new(&scope) == TS_OK, "a scope");
    need(ts_no_small_factor_prove(&proof, scope, &place, &hedge, &world->pairing[0]->own, &world->pairing[0]->p2) ==
             TS_OK,
        "proving");
    ts_scope_free(scope);
}

/* The two proofs of 128 rounds. */
static void
rounds(struct world *world)
{
    static const uint8_t hk[TS_HEDGE_KEY_BYTES] = {9};
    const struct ts_place place = {.mpc = world->mpc, .sid_len = TS_SID_BYTES, .role = TS_ROLE_P1};
    const struct ts_hedge hedge = {.hk = hk};
    static struct ts_ring_pedersen ring;
    static struct ts_paillier_blum blum;
    struct ts_scope *scope = NULL;

    need(ts_scope_new(&scope) == TS_OK, "a scope");
    need(ts_ring_pedersen_prove(&ring, scope, &place, &hedge, &world->pairing[0]->own) == TS_OK, "proving");
    need(ts_paillier_blum_prove(&blum, scope, &place, &hedge, &world->pairing[0]->own) == TS_OK, "proving");
    ts_scope_free(scope);
}

static void
decrypt(struct world *world)
{
    struct ts_scope *scope = NULL;

    need(ts_scope_new(&scope) == TS_OK, "a scope");
    const struct ts_num *x = ts_paillier_decrypt(scope, &world->pairing[0]->own, world->half[0]->C);
    need(ts_choice_publish(ts_num_equal(x, world->half[0]->x), "the test's own question"), "decrypting");
    ts_scope_free(scope);
}

/* Products of one secret scalar by one library: of the generator, of a point, and the scalar 0, that gives infinity. */
static void
multiply(struct world *world, enum ts_curve curve, const struct ts_point_library *library)
{
    uint8_t bytes[TS_SCALAR_MAX_BYTES] = {0};
    struct ts_group *group = NULL;
    struct ts_scope *scope = NULL;

    need(ts_group_new_with(&group, &world->env, curve, library) == TS_OK && ts_scope_new(&scope) == TS_OK, "a curve");
    for (size_t len = 0; len <= sizeof bytes; len += sizeof bytes / 2) {
        memset(bytes, 0x3c, len);
        const struct ts_num *k = secret_number(scope, bytes, sizeof bytes);
        const struct ts_point *base = ts_point_mul_base(scope, group, k),
                              *product = ts_point_mul(scope, group, k, base);
        need(product && ts_point_is_infinity(group, product) == (len == 0), "a product");
    }
    ts_scope_free(scope);
    ts_group_free(group);
}

/* Each curve with each library that does it; the parts above have one of them each. */
static void
points(struct world *world)
{
    for (enum ts_curve curve = TS_CURVE_P256; curve <= TS_CURVE_P521; curve++)
        multiply(world, curve, &ts_point_openssl);
#if defined(TS_LIBSECP256K1)
    multiply(world, TS_CURVE_SECP256K1, &ts_point_secp256k1);
#endif
}

static void
close_world(struct world *world)
{
    ts_presig_p1_free(world->p1);
    ts_presig_p2_free(world->p2);
    for (unsigned role = 0; role < 2; role++) {
        ts_half_free(world->half[role]);
        ts_pairing_free(world->pairing[role]);
    }
    ts_mpc_free(world->mpc);
    ts_env_clear(&world->env);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(struct world *world);
    } parts[] = {{"keygen", keygen}, {"decrypt", decrypt}, {"store", store}, {"presign", presign}, {"sign", sign},
        {"refresh", refresh}, {"factor", factor}, {"points", points}, {"rounds", rounds}};
    static struct world world;

    open_world(&world);
    for (int i = 1; i < argc; i++) {
        size_t part = 0;
        while (part < sizeof parts / sizeof *parts && strcmp(parts[part].name, argv[i]) != 0)
            part++;
        need(part < sizeof parts / sizeof *parts, argv[i]);
        unsigned before = (unsigned)VALGRIND_COUNT_ERRORS;
        parts[part].run(&world);
        unsigned errors = (unsigned)VALGRIND_COUNT_ERRORS - before;
        printf("%sok %d - %s depends on no secret\n", errors ? "not " : "", i, argv[i]);
        fflush(stdout);
    }
    printf("1..%d\n", argc - 1);
    close_world(&world);
    return VALGRIND_COUNT_ERRORS ? 99 : 0;
}
