#include "mpc/keygen_message.h"
#include "mpc/machine.h"
#include "mpc/pair_message.h"
#include "mpc/presign_message.h"
#include "mpc/refresh_message.h"
#include "mpc/sign_message.h"
#include "tests/fuzz/fuzz.h"

/* The payloads of all runs. First byte: which; second: the curve. */

static struct ts_env env;
static struct ts_mpc *mpc;

#define BITS 2048u

static void
read_pairing(unsigned which, struct ts_scope *scope, const uint8_t *in, size_t len)
{
    static union {
        struct ts_pair_init init;
        struct ts_pair_params1 one;
        struct ts_pair_params2 two;
    } m;

    if (which == 0)
        (void)ts_pair_init_decode(&m.init, in, len);
    if (which == 1)
        (void)ts_pair_params2_decode(&m.two, scope, in, len, BITS);
    if (which == 2)
        (void)ts_pair_params1_decode(&m.one, scope, in, len, BITS);
}

static void
read_key(unsigned which, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len)
{
    struct ts_keygen_start start;
    struct ts_known_point point;
    struct ts_keygen_opening opening;
    struct ts_refresh_start refresh;
    struct ts_refresh_opening reopening;
    const struct ts_num *d;
    uint8_t hash[32];

    if (which == 3)
        (void)ts_keygen_start_decode(&start, in, len);
    if (which == 4)
        (void)ts_nonce_decode(hash, in, len);
    if (which == 5)
        (void)ts_committed_decode(hash, in, len);
    if (which == 6)
        (void)ts_keygen_point_decode(&point, scope, group, in, len);
    if (which == 7)
        (void)ts_keygen_opening_decode(&opening, scope, group, BITS, in, len);
    if (which == 8)
        (void)ts_refresh_start_decode(&refresh, in, len);
    if (which == 9)
        (void)ts_coin_decode(&d, scope, group, in, len);
    if (which == 10)
        (void)ts_refresh_opening_decode(&reopening, scope, group, BITS, in, len);
}

static void
read_signing(unsigned which, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len)
{
    struct ts_presign_reply reply;
    struct ts_presign_opening opening;
    struct ts_presign_affine affine;
    struct ts_sign_answer answer;
    struct ts_reader reader;
    uint8_t c[TS_HASH_BYTES];

    ts_reader_init(&reader, in, len);
    if (which == 11)
        fuzz_need(ts_presign_count_take(&reader) <= TS_BATCH_MAX);
    if (which == 11)
        ts_presign_commitment_take(c, &reader);
    if (which == 12)
        ts_presign_reply_take(&reply, scope, &reader, group);
    if (which == 13)
        ts_presign_opening_take(&opening, scope, &reader, group);
    if (which == 14)
        ts_presign_affine_take(&affine, scope, &reader, group, BITS);
    if (which == 15)
        (void)ts_sign_answer_decode(&answer, scope, group, in, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ts_scope *scope = NULL;

    if (!mpc)
        fuzz_need(ts_env_init(&env) == TS_OK && ts_mpc_new(&mpc, &env) == TS_OK);
    if (size < 2)
        return 0;
    const struct ts_group *group = ts_mpc_group(mpc, (enum ts_curve)(1 + data[1] % TS_CURVE_P521));
    fuzz_need(ts_scope_new(&scope) == TS_OK);
    read_pairing(data[0] % 16, scope, data + 2, size - 2);
    read_key(data[0] % 16, scope, group, data + 2, size - 2);
    read_signing(data[0] % 16, scope, group, data + 2, size - 2);
    fuzz_need(ts_scope_error(scope) != TS_CHEATED);
    ts_scope_free(scope);
    return 0;
}
