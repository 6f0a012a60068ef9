#ifndef TS_MPC_MACHINE_TABLE_H
#define TS_MPC_MACHINE_TABLE_H

#include "mpc/machine.h"

/** What the roles share with the driver (machine.c); private to mpc/. */

#define TS_MACHINE_PAYLOADS 5 /**< the most payloads that a confirmation covers */

/** One row of a role's table. A handler takes one payload (nothing in a row without input) and appends its answer, if
 *  any, to `out`. `scope` lives as long as the step. Any error, also one that stuck to a scope or to `out`, ends the
 *  machine. */
struct ts_state {
    const char *name; /**< the protocol's name of the step */
    bool input;       /**< waits for a payload */
    enum ts_error (*handle)(
        struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len);
    unsigned next; /**< row, or TS_STATE_DONE */
};

#define TS_STATE_DONE 100u
#define TS_STATE_FAILED 101u

/** A role of a protocol. `clear` gives back what the run owns outside of its memory; it is called once. */
struct ts_machine_kind {
    const struct ts_state *states;
    size_t run_size;
    size_t confirmed; /**< so many payloads are kept for the confirmation */
    void (*clear)(void *run);
};

/** In secret memory, as the run. `scope` owns the numbers that live as long as the run. */
struct ts_machine {
    const struct ts_machine_kind *kind;
    const struct ts_mpc *mpc;
    struct ts_scope *scope;
    void *run;
    unsigned state;
    struct ts_buf payloads[TS_MACHINE_PAYLOADS];
    size_t payload_count;
    uint8_t confirmation[TS_HASH_BYTES]; /**< P1's, once known */
};

/** Make a machine in its first state, with a zeroed run. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_machine_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind);

/** Do work of a machine between its steps; an error ends the machine as that of a step does.
 *  Returns: TS_OK; TS_USAGE when the machine is done or has failed; as ts_machine_step */
enum ts_error ts_machine_work(struct ts_machine *machine,
    enum ts_error (*work)(struct ts_machine *machine, struct ts_scope *scope, void *ctx), void *ctx);

/** Append the sender's confirmation of the kept payloads (the 32 bytes of the hash, nothing else), and remember P1's.
 *  In:   place  of the run; `role` is who confirms */
enum ts_error ts_machine_confirm(
    struct ts_machine *machine, struct ts_buf *out, const struct ts_place *place, uint8_t role);
/** Check the other side's. Returns: TS_OK; TS_FORMAT (not 32 bytes); TS_CHEATED; TS_INTERNAL. */
enum ts_error ts_machine_confirmed(
    struct ts_machine *machine, const struct ts_place *place, uint8_t role, const uint8_t *in, size_t len);

/** The place of a run for another role or index. */
struct ts_place ts_place_by(const struct ts_place *place, uint8_t role, uint32_t index);

/** True for a machine of that kind which has its result. */
bool ts_machine_has(const struct ts_machine *machine, const struct ts_machine_kind *kind);

#endif
