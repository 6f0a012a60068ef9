#include "mpc/sign_message.h"

#include "mpc/message.h"

void
ts_sign_answer_encode(struct ts_buf *out, const struct ts_sign_answer *answer)
{
    ts_item_put(out, "nonce", answer->nonce, sizeof answer->nonce);
    ts_item_put_int(out, "sigma", answer->sigma);
}

enum ts_error
ts_sign_answer_decode(
    struct ts_sign_answer *out, struct ts_scope *scope, const struct ts_group *group, const uint8_t *in, size_t len)
{
    struct ts_reader reader;

    ts_reader_init(&reader, in, len);
    ts_message_take_bytes(out->nonce, &reader, "nonce", sizeof out->nonce);
    out->sigma = ts_message_take_scalar(scope, &reader, "sigma", group);
    return ts_message_end(&reader, scope);
}
