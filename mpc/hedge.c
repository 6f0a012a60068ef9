#include "mpc/hedge.h"

#include "base/secret.h"

#include <string.h>

#define RANDOM_BYTES 64
#define HEDGE_MAX 1024 /* of the items hashed to a seed: 500 with the longest names and a hash to bind */
#define FIRST_BYTES ((size_t)4096)
#define STREAM_MAX ((size_t)1 << 22) /* of one proof; the longest, ring_pedersen with 4096 bits, takes 66 KiB */
#define PREFIX_BYTES ((size_t)128)   /* item("hedge_out", seed) takes 82 */
#define MAX_TRIES 256                /* of an event whose chance is far below one half each time */
#define EXTRA_BYTES ((size_t)16)     /* 128 bits more than the modulus, for uniformity */

struct ts_stream {
    struct ts_scope *scope;
    const struct ts_mpc *mpc;
    uint8_t prefix[PREFIX_BYTES];
    size_t prefix_len;
    uint8_t *bytes; /* the first `made` bytes of the stream */
    size_t made, used;
};

enum ts_error
ts_hedge_seed(uint8_t seed[TS_SEED_BYTES], const struct ts_place *place, const char *use, const uint8_t *bind,
    size_t bind_len, const uint8_t random[64], const uint8_t hk[TS_HEDGE_KEY_BYTES], uint64_t counter, uint64_t time_ns)
{
    /* On the stack, as the seed itself: locked pages of its own would take longer than the hash. */
    uint8_t bytes[HEDGE_MAX];
    struct ts_buf transcript = {.data = bytes, .room = sizeof bytes, .max = sizeof bytes};

    ts_header_put(&transcript, place, "hedge");
    ts_item_put(&transcript, "use", use, strlen(use));
    ts_item_put(&transcript, "bind", bind, bind_len);
    ts_item_put(&transcript, "rand", random, RANDOM_BYTES);
    ts_item_put(&transcript, "hk", hk, TS_HEDGE_KEY_BYTES);
    ts_item_put_u64(&transcript, "counter", counter);
    ts_item_put_u64(&transcript, "time", time_ns);
    enum ts_error error = ts_buf_error(&transcript);
    if (error == TS_OK)
        error = ts_shake256(seed, TS_SEED_BYTES, place->mpc, transcript.data, transcript.len);
    ts_wipe(bytes, sizeof bytes);
    return error;
}

struct ts_stream *
ts_stream_from_seed(struct ts_scope *scope, const struct ts_mpc *mpc, const uint8_t seed[TS_SEED_BYTES])
{
    struct ts_stream *stream = ts_scope_memory(scope, sizeof *stream);

    if (!stream)
        return NULL;
    stream->scope = scope;
    stream->mpc = mpc;
    struct ts_buf prefix = {.data = stream->prefix, .room = PREFIX_BYTES, .max = PREFIX_BYTES};
    ts_item_put(&prefix, "hedge_out", seed, TS_SEED_BYTES);
    enum ts_error error = ts_buf_error(&prefix);
    stream->prefix_len = prefix.len;
    if (error == TS_OK)
        return stream;
    ts_scope_fail(scope, error);
    return NULL;
}

struct ts_stream *
ts_stream_new(struct ts_scope *scope, const struct ts_place *place, const uint8_t hk[TS_HEDGE_KEY_BYTES],
    const char *use, const uint8_t *bind, size_t bind_len)
{
    const struct ts_env *env = ts_mpc_env(place->mpc);
    struct ts_stream *stream = NULL;
    uint8_t random[RANDOM_BYTES];
    uint8_t seed[TS_SEED_BYTES];

    enum ts_error error = ts_random(env, random, sizeof random);
    if (error == TS_OK)
        error = ts_hedge_seed(seed, place, use, bind, bind_len, random, hk, ts_mpc_count(place->mpc),
            env->clock.realtime_ns(env->clock.ctx));
    if (error == TS_OK)
        stream = ts_stream_from_seed(scope, place->mpc, seed);
    else
        ts_scope_fail(scope, error);
    ts_wipe(random, sizeof random);
    ts_wipe(seed, sizeof seed);
    return stream;
}

/* A longer output of SHAKE256 begins with the shorter one, so more bytes are made by hashing again. */
static bool
make(struct ts_stream *stream, size_t need)
{
    size_t room = stream->made ? stream->made : FIRST_BYTES;

    while (room < need)
        room *= 2;
    uint8_t *bytes = ts_scope_memory(stream->scope, room);
    if (!bytes)
        return false;
    enum ts_error error = ts_shake256(bytes, room, stream->mpc, stream->prefix, stream->prefix_len);
    if (error != TS_OK) {
        ts_scope_fail(stream->scope, error);
        return false;
    }
    stream->bytes = bytes;
    stream->made = room;
    return true;
}

/* The next bytes as a number. */
static const struct ts_num *
cut(struct ts_stream *stream, size_t len)
{
    if (len > STREAM_MAX - stream->used) {
        ts_scope_fail(stream->scope, TS_USAGE);
        return NULL;
    }
    if (stream->used + len > stream->made && !make(stream, stream->used + len))
        return NULL;
    const uint8_t *bytes = stream->bytes + stream->used;
    stream->used += len;
    return len ? ts_num_from_bytes(stream->scope, bytes, len) : ts_num_from_u64(stream->scope, 0);
}

const struct ts_num *
ts_stream_bits(struct ts_stream *stream, size_t k)
{
    if (!stream)
        return NULL;
    if (k > 8 * STREAM_MAX) {
        ts_scope_fail(stream->scope, TS_USAGE);
        return NULL;
    }
    return ts_num_low_bits(stream->scope, cut(stream, (k + 7) / 8), k);
}

const struct ts_num *
ts_stream_signed(struct ts_stream *stream, size_t k)
{
    if (!stream)
        return NULL;
    return ts_num_sub(stream->scope, ts_stream_bits(stream, k + 1), ts_num_power_of_two(stream->scope, k));
}

const struct ts_num *
ts_stream_residue_secret(struct ts_stream *stream, const struct ts_num *modulus, size_t bits)
{
    if (!stream || !modulus)
        return NULL;
    return ts_num_mod(stream->scope, cut(stream, (bits + 7) / 8 + EXTRA_BYTES), modulus);
}

/* Every public modulus that a residue can be drawn of: at least 1, for Z_1 has one element. */
static size_t
modulus_bits(struct ts_stream *stream, const struct ts_num *modulus)
{
    if (!stream || !modulus)
        return 0;
    size_t bits = ts_num_is_negative_vartime(modulus) ? 0 : ts_num_bits_vartime(modulus);
    if (bits == 0)
        ts_scope_fail(stream->scope, TS_USAGE);
    return bits;
}

const struct ts_num *
ts_stream_residue(struct ts_stream *stream, const struct ts_num *modulus)
{
    size_t bits = modulus_bits(stream, modulus);

    return bits ? ts_stream_residue_secret(stream, modulus, bits) : NULL;
}

/* One bit that may be known: the value it speaks of is thrown away, or known not to be the exception. */
static bool
published(struct ts_scope *scope, unsigned bit)
{
    const struct ts_num *number = ts_num_select(scope, bit, ts_num_from_u64(scope, 1), ts_num_from_u64(scope, 0));

    number = ts_num_publish(number, "whether a drawn value is skipped");
    return !number || !ts_num_is_zero_vartime(number);
}

/* An even modulus comes only from test vectors. */
static bool
is_unit(struct ts_scope *scope, const struct ts_num *value, const struct ts_num *modulus)
{
    if (!ts_num_is_odd_vartime(modulus))
        return ts_num_is_unit_vartime(value, modulus);
    const struct ts_num *inverse = ts_num_inverse(scope, value, modulus);
    return inverse && !published(scope, ts_num_is_zero(inverse));
}

const struct ts_num *
ts_stream_unit(struct ts_stream *stream, const struct ts_num *modulus)
{
    if (modulus_bits(stream, modulus) == 0)
        return NULL;
    for (int i = 0; i < MAX_TRIES; i++) {
        const struct ts_num *value = ts_stream_residue(stream, modulus);
        if (!value || is_unit(stream->scope, value, modulus))
            return value;
    }
    ts_scope_fail(stream->scope, TS_USAGE);
    return NULL;
}

struct ts_stream *
ts_hedge_stream(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge, const char *use,
    const uint8_t *bind, size_t bind_len)
{
    if (hedge->fixed_seed)
        return ts_stream_from_seed(scope, place->mpc, hedge->fixed_seed);
    return ts_stream_new(scope, place, hedge->hk, use, bind, bind_len);
}

const struct ts_num *
ts_hedge_scalar(struct ts_scope *scope, const struct ts_place *place, const struct ts_hedge *hedge, const char *use,
    const uint8_t *bind, size_t bind_len, bool zero_allowed)
{
    const struct ts_group *group = ts_mpc_group(place->mpc, place->curve);

    for (int i = 0; group && i < MAX_TRIES; i++) {
        struct ts_stream *stream = ts_hedge_stream(scope, place, hedge, use, bind, bind_len);
        const struct ts_num *value = ts_stream_residue(stream, ts_modulus_num(ts_group_order(group)));
        if (!value || zero_allowed || !published(scope, ts_num_is_zero(value)))
            return value;
    }
    ts_scope_fail(scope, TS_INTERNAL);
    return NULL;
}
