#include "mpc/transcript.h"

#include "base/secret.h"

#include <string.h>

#define PROTOCOL "tallystick/1"
#define TRANSCRIPT_MAX ((size_t)1 << 20)
#define CHALLENGE_BYTES 16

/* --- integers --- */

enum ts_error
ts_int_encode(struct ts_buf *out, const struct ts_num *z)
{
    if (!z) {
        out->error = out->error == TS_OK ? TS_INTERNAL : out->error;
        return out->error;
    }
    size_t len = (ts_num_bits_vartime(z) + 7) / 8;
    ts_buf_put_u8(out, ts_num_is_negative_vartime(z) ? 1 : 0);
    uint8_t *place = len ? ts_buf_extend(out, len) : NULL;
    if (place && ts_num_to_bytes(place, len, z) != TS_OK)
        out->error = TS_INTERNAL;
    return ts_buf_error(out);
}

/* Section 1: the sign byte, then a magnitude without a leading zero byte, not empty for a negative number. */
static bool
is_canonical(const uint8_t *bytes, size_t len, size_t max_bytes)
{
    if (len == 0 || bytes[0] > 1 || len - 1 > max_bytes)
        return false;
    return len == 1 ? bytes[0] == 0 : bytes[1] != 0;
}

const struct ts_num *
ts_int_decode(struct ts_scope *scope, const uint8_t *bytes, size_t len, size_t max_bytes)
{
    if (!bytes || !is_canonical(bytes, len, max_bytes)) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    if (len == 1)
        return ts_num_from_u64(scope, 0);
    const struct ts_num *magnitude = ts_num_from_bytes(scope, bytes + 1, len - 1);
    return bytes[0] ? ts_num_neg(scope, magnitude) : magnitude;
}

/* --- items: writing --- */

static void
put_front(struct ts_buf *out, const char *label, size_t len)
{
    size_t label_len = strlen(label);

    ts_buf_put_u8(out, (uint8_t)label_len);
    ts_buf_put(out, label, label_len);
    ts_buf_put_u64(out, len);
}

void
ts_item_put(struct ts_buf *out, const char *label, const void *value, size_t len)
{
    put_front(out, label, len);
    if (len)
        ts_buf_put(out, value, len);
}

void
ts_item_put_int(struct ts_buf *out, const char *label, const struct ts_num *z)
{
    put_front(out, label, 1 + (z ? (ts_num_bits_vartime(z) + 7) / 8 : 0));
    ts_int_encode(out, z);
}

void
ts_item_put_point(struct ts_buf *out, const char *label, const struct ts_group *group, const struct ts_point *p)
{
    uint8_t encoded[TS_POINT_MAX_BYTES];

    if (!group || !p || ts_point_encode(encoded, group, p) != TS_OK) {
        out->error = out->error == TS_OK ? TS_INTERNAL : out->error;
        return;
    }
    ts_item_put(out, label, encoded, ts_group_point_bytes(group));
}

void
ts_item_put_u32(struct ts_buf *out, const char *label, uint32_t value)
{
    put_front(out, label, sizeof value);
    ts_buf_put_u32(out, value);
}

void
ts_item_put_u64(struct ts_buf *out, const char *label, uint64_t value)
{
    put_front(out, label, sizeof value);
    ts_buf_put_u64(out, value);
}

/* --- items: reading --- */

static const uint8_t *
refuse(struct ts_reader *in)
{
    in->error = TS_FORMAT;
    return NULL;
}

const uint8_t *
ts_item_take(size_t *len, struct ts_reader *in, const char *label)
{
    size_t label_len = strlen(label);

    *len = 0;
    uint8_t found_len = ts_reader_u8(in);
    if (in->error != TS_OK || found_len != label_len)
        return refuse(in);
    const uint8_t *found = ts_reader_take(in, label_len);
    if (!found || memcmp(found, label, label_len) != 0)
        return refuse(in);
    uint64_t value_len = ts_reader_u64(in);
    if (in->error != TS_OK || value_len > in->left)
        return refuse(in);
    const uint8_t *value = in->data; /* also where the value is empty and there is nothing to take */
    if (value_len && !(value = ts_reader_take(in, (size_t)value_len)))
        return refuse(in);
    *len = (size_t)value_len;
    return value;
}

const uint8_t *
ts_item_take_exact(struct ts_reader *in, const char *label, size_t len)
{
    size_t found;
    const uint8_t *value = ts_item_take(&found, in, label);

    return value && found == len ? value : refuse(in);
}

const struct ts_num *
ts_item_take_int(struct ts_scope *scope, struct ts_reader *in, const char *label, size_t max_bytes)
{
    size_t len;
    const uint8_t *value = ts_item_take(&len, in, label);
    const struct ts_num *z = ts_int_decode(scope, value, len, max_bytes);

    if (!z)
        refuse(in);
    return z;
}

const struct ts_point *
ts_item_take_point(struct ts_scope *scope, struct ts_reader *in, const char *label, const struct ts_group *group)
{
    size_t len;
    const uint8_t *value = ts_item_take(&len, in, label);

    if (!value) {
        ts_scope_fail(scope, TS_FORMAT);
        return NULL;
    }
    const struct ts_point *p = ts_point_decode(scope, group, value, len);
    if (!p)
        refuse(in);
    return p;
}

uint32_t
ts_item_take_u32(struct ts_reader *in, const char *label)
{
    struct ts_reader value;
    const uint8_t *bytes = ts_item_take_exact(in, label, sizeof(uint32_t));

    if (!bytes)
        return 0;
    ts_reader_init(&value, bytes, sizeof(uint32_t));
    return ts_reader_u32(&value);
}

/* --- transcripts --- */

void
ts_header_put(struct ts_buf *out, const struct ts_place *place, const char *name)
{
    const char *curve = ts_curve_name(place->curve);

    ts_item_put(out, "protocol", PROTOCOL, strlen(PROTOCOL));
    ts_item_put(out, "curve", curve, strlen(curve));
    ts_item_put(out, "sid", place->sid, place->sid_len);
    ts_item_put(out, "role", &place->role, place->role == TS_ROLE_NONE ? 0 : 1);
    ts_item_put(out, "name", name, strlen(name));
    ts_item_put_u32(out, "index", place->index);
}

void
ts_transcript_init(struct ts_buf *out, const struct ts_place *place, const char *name)
{
    ts_buf_init(out, TRANSCRIPT_MAX);
    ts_header_put(out, place, name);
}

/* Hash of a finished transcript; one that could not be written whole must not be hashed. */
static enum ts_error
hash(uint8_t *out, size_t len, const struct ts_mpc *mpc, const struct ts_buf *transcript)
{
    enum ts_error error = ts_buf_error(transcript);

    if (error != TS_OK) {
        ts_wipe(out, len);
        return error;
    }
    return ts_shake256(out, len, mpc, transcript->data, transcript->len);
}

enum ts_error
ts_hash_32(uint8_t out[TS_HASH_BYTES], const struct ts_mpc *mpc, const struct ts_buf *transcript)
{
    return hash(out, TS_HASH_BYTES, mpc, transcript);
}

const struct ts_num *
ts_hash_e(struct ts_scope *scope, const struct ts_mpc *mpc, const struct ts_buf *transcript)
{
    uint8_t out[CHALLENGE_BYTES];
    enum ts_error error = hash(out, sizeof out, mpc, transcript);

    if (error != TS_OK) {
        ts_scope_fail(scope, error);
        return NULL;
    }
    return ts_num_from_bytes(scope, out, sizeof out);
}

const struct ts_num *
ts_hash_q(struct ts_scope *scope, const struct ts_mpc *mpc, enum ts_curve curve, const struct ts_buf *transcript)
{
    uint8_t out[TS_SCALAR_MAX_BYTES + 16]; /* Lq of P-521 is the longest: 82 */
    const struct ts_group *group = ts_mpc_group(mpc, curve);
    enum ts_error error = TS_INTERNAL;

    if (group && ts_group_hash_bytes(group) <= sizeof out)
        error = hash(out, ts_group_hash_bytes(group), mpc, transcript);
    if (error != TS_OK) {
        ts_scope_fail(scope, error);
        return NULL;
    }
    const struct ts_num *wide = ts_num_from_bytes(scope, out, ts_group_hash_bytes(group));
    return ts_mod(scope, wide, ts_group_order(group));
}
