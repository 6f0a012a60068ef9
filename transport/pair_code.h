#ifndef TS_TRANSPORT_PAIR_CODE_H
#define TS_TRANSPORT_PAIR_CODE_H

#include "base/env.h"

#include <stdint.h>

/** The six digits that two people compare while their devices pair. They are drawn from the TLS channel and a nonce of
 *  each side. The dialling side commits to its nonce before it sees the other's, so that neither side can steer the
 *  digits, and somebody between two channels meets the same ones on both once in a million times. */

#define TS_PAIR_NONCE_BYTES 32
#define TS_PAIR_CODE_BYTES 7 /**< six digits and the final NUL */

/** The dialling side's commitment to its nonce, bound to the channel.
 *  In:   exporter32  ts_link_exporter's
 *  Returns: TS_OK; TS_INTERNAL. Secrets: nonce, until it is opened. */
enum ts_error ts_pair_code_commit(uint8_t out32[32], const struct ts_env *env, const uint8_t exporter32[32],
    const uint8_t nonce[TS_PAIR_NONCE_BYTES]);

/** The digits, once both nonces are known. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_pair_code(char out[TS_PAIR_CODE_BYTES], const struct ts_env *env, const uint8_t exporter32[32],
    const uint8_t dialler[TS_PAIR_NONCE_BYTES], const uint8_t listener[TS_PAIR_NONCE_BYTES]);

#endif
