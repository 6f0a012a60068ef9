#include "mpc/message.h"

#include <string.h>

void
ts_message_take_bytes(uint8_t *out, struct ts_reader *in, const char *label, size_t len)
{
    const uint8_t *bytes = ts_item_take_exact(in, label, len);

    if (bytes)
        memcpy(out, bytes, len);
}

const struct ts_num *
ts_message_take_scalar(struct ts_scope *scope, struct ts_reader *in, const char *label, const struct ts_group *group)
{
    const struct ts_num *z = ts_item_take_int(scope, in, label, ts_group_scalar_bytes(group));

    if (z && ts_num_is_reduced_vartime(z, ts_modulus_num(ts_group_order(group))))
        return z;
    ts_scope_fail(scope, TS_FORMAT);
    return NULL;
}

const struct ts_num *
ts_message_take_modulus(struct ts_scope *scope, struct ts_reader *in, const char *label, uint32_t bits)
{
    const struct ts_num *N = ts_item_take_int(scope, in, label, bits / 8);

    if (N && !ts_num_is_negative_vartime(N) && ts_num_is_odd_vartime(N) && ts_num_bits_vartime(N) == bits)
        return N;
    ts_scope_fail(scope, TS_FORMAT);
    return NULL;
}

enum ts_error
ts_message_end(const struct ts_reader *in, const struct ts_scope *scope)
{
    enum ts_error error = scope ? ts_scope_error(scope) : TS_OK;

    return error == TS_OK ? ts_reader_end(in) : error;
}
