#ifndef TS_MPC_MESSAGE_H
#define TS_MPC_MESSAGE_H

#include "mpc/transcript.h"

/** What the payloads of all runs share. Private to mpc/. */

/** Take an item of exactly `len` bytes into `out`; errors stick to the reader. */
void ts_message_take_bytes(uint8_t *out, struct ts_reader *in, const char *label, size_t len);

/** Take a scalar: 0 <= z < q. Fails the scope with TS_FORMAT. */
const struct ts_num *ts_message_take_scalar(
    struct ts_scope *scope, struct ts_reader *in, const char *label, const struct ts_group *group);

/** Take a positive odd modulus of exactly `bits` bits. Fails the scope with TS_FORMAT. */
const struct ts_num *ts_message_take_modulus(
    struct ts_scope *scope, struct ts_reader *in, const char *label, uint32_t bits);

/** End of a payload.
 *  Returns: TS_OK when everything was there, in range, and nothing is left over; TS_FORMAT; the scope's error. */
enum ts_error ts_message_end(const struct ts_reader *in, const struct ts_scope *scope);

#endif
