#ifndef TS_TESTS_CHEAT_H
#define TS_TESTS_CHEAT_H

#include "base/buffer.h"
#include "mpc/point.h"

/** How a cheating party's payloads are made, for tests: the machine makes an honest one, this changes one value in it
 *  so that everything still decodes and is in range, and only the check that belongs to the value can notice. */

/** Change one item.
 *  In:   label  of the item
 *        nth    which of the items with that label, from 0
 *  32-byte values, keys and ids get their last bit flipped; of a number the magnitude gets one less (0 becomes 1).
 *  Returns: TS_OK; TS_NOT_FOUND (no such item); TS_FORMAT (not a payload of items, not a number); TS_INTERNAL. */
enum ts_error cheat_item(struct ts_buf *payload, const char *label, unsigned nth);

/** Change a payload of P2 in the way that `what` says:
 *  "keygen-proof" (payload 4: z of the dlog proof), "presign-dlog" (payload 2: the same), "presign-d" (payload 4: D),
 *  "presign-proof" (payload 4: z1 of the affine proof), "nonce", "sigma" (the answer).
 *  In:   curve, bits  of the key and the pairing; a value that is too large for them is no such payload
 *  Returns: TS_OK; TS_USAGE (no such way); TS_NOT_FOUND, TS_FORMAT (not the payload that it belongs to);
 *  TS_INTERNAL. */
enum ts_error cheat_payload(struct ts_buf *payload, enum ts_curve curve, uint32_t bits, const char *what);

/** Place of the nth item with a label in a payload. Returns: NULL when there is none.
 *  Out:  value_len  may be NULL; head  bytes from the item's first to its value's, may be NULL */
uint8_t *cheat_find(size_t *value_len, size_t *head, const struct ts_buf *payload, const char *label, unsigned nth);

#endif
