#include "mpc/machine_table.h"

#include "base/secret.h"

#include <string.h>

#define PAYLOAD_MAX ((size_t)1 << 20)

/* What only the steps need. */
static void
erase_work(struct ts_machine *machine)
{
    if (machine->scope)
        ts_scope_return(machine->mpc, machine->scope);
    machine->scope = NULL;
    for (size_t i = 0; i < machine->payload_count; i++)
        ts_buf_clear(&machine->payloads[i]);
    machine->payload_count = 0;
}

static void
erase(struct ts_machine *machine)
{
    if (machine->run) {
        machine->kind->clear(machine->run);
        ts_secret_free(machine->run);
        machine->run = NULL;
    }
    erase_work(machine);
}

enum ts_error
ts_machine_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind)
{
    *out = NULL;
    struct ts_machine *machine = ts_secret_new(sizeof *machine);
    if (!machine)
        return TS_INTERNAL;
    machine->kind = kind;
    machine->mpc = mpc;
    machine->run = ts_secret_new(kind->run_size);
    if (!machine->run || ts_scope_borrow(&machine->scope, mpc) != TS_OK) {
        ts_machine_free(machine);
        return TS_INTERNAL;
    }
    *out = machine;
    return TS_OK;
}

void
ts_machine_free(struct ts_machine *machine)
{
    if (!machine)
        return;
    if (machine->kind) /* zero in a forked child */
        erase(machine);
    ts_secret_free(machine);
}

/* Keep a payload for the confirmation, in the order of the run. */
static enum ts_error
keep(struct ts_machine *machine, const uint8_t *bytes, size_t len)
{
    if (machine->payload_count == machine->kind->confirmed)
        return TS_OK;
    struct ts_buf *payload = &machine->payloads[machine->payload_count++];
    ts_buf_init(payload, PAYLOAD_MAX);
    return ts_buf_put(payload, bytes, len);
}

/* The step's own scope takes its secrets away with it. */
static enum ts_error
handle(struct ts_machine *machine, struct ts_buf *answer, const uint8_t *in, size_t len)
{
    struct ts_scope *scope = NULL;

    enum ts_error error = ts_scope_borrow(&scope, machine->mpc);
    if (error != TS_OK)
        return error;
    error = machine->kind->states[machine->state].handle(machine, scope, answer, in, len);
    if (error == TS_OK)
        error = ts_scope_error(scope);
    if (error == TS_OK)
        error = ts_scope_error(machine->scope);
    ts_scope_return(machine->mpc, scope);
    return error;
}

static enum ts_error
run_state(struct ts_machine *machine, struct ts_buf *answer, const uint8_t *in, size_t len)
{
    bool input = machine->kind->states[machine->state].input;
    enum ts_error error = input ? keep(machine, in, len) : TS_OK;

    if (error == TS_OK)
        error = handle(machine, answer, in, len);
    if (error == TS_OK)
        error = ts_buf_error(answer);
    if (error == TS_OK && answer->len)
        error = keep(machine, answer->data, answer->len);
    return error;
}

/* What a caller did wrong is not what ends a machine; inside a step it can only be a broken invariant. */
static enum ts_error
step_error(enum ts_error error)
{
    return error == TS_FORMAT || error == TS_CHEATED ? error : TS_INTERNAL;
}

static enum ts_error
fail(struct ts_machine *machine, enum ts_error error)
{
    machine->state = TS_STATE_FAILED;
    erase(machine);
    return step_error(error);
}

enum ts_error
ts_machine_work(struct ts_machine *machine,
    enum ts_error (*work)(struct ts_machine *machine, struct ts_scope *scope, void *ctx), void *ctx)
{
    struct ts_scope *scope = NULL;

    if (!machine || !machine->kind || machine->state >= TS_STATE_DONE)
        return TS_USAGE;
    enum ts_error error = ts_scope_borrow(&scope, machine->mpc);
    if (error == TS_OK)
        error = work(machine, scope, ctx);
    if (error == TS_OK)
        error = ts_scope_error(scope);
    if (error == TS_OK)
        error = ts_scope_error(machine->scope);
    ts_scope_return(machine->mpc, scope);
    return error == TS_OK ? TS_OK : fail(machine, error);
}

enum ts_error
ts_machine_step(struct ts_machine *machine, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_buf answer;

    if (!machine || !machine->kind || machine->state >= TS_STATE_DONE)
        return TS_USAGE;
    const struct ts_state *state = &machine->kind->states[machine->state];
    if (state->input != (in != NULL) || (!in && len))
        return TS_USAGE;
    ts_buf_init(&answer, PAYLOAD_MAX);
    enum ts_error error = run_state(machine, &answer, in, len);
    if (error == TS_OK && answer.len)
        error = ts_buf_put(out, answer.data, answer.len);
    ts_buf_clear(&answer);
    if (error != TS_OK)
        return fail(machine, error);
    machine->state = state->next;
    if (machine->state == TS_STATE_DONE)
        erase_work(machine);
    return TS_OK;
}

const char *
ts_machine_state(const struct ts_machine *machine)
{
    if (!machine || !machine->kind || machine->state == TS_STATE_FAILED)
        return "FAILED";
    return machine->state == TS_STATE_DONE ? "COMPLETED" : machine->kind->states[machine->state].name;
}

bool
ts_machine_done(const struct ts_machine *machine)
{
    return machine && machine->kind && machine->state == TS_STATE_DONE;
}

bool
ts_machine_has(const struct ts_machine *machine, const struct ts_machine_kind *kind)
{
    return ts_machine_done(machine) && machine->kind == kind;
}

struct ts_place
ts_place_by(const struct ts_place *place, uint8_t role, uint32_t index)
{
    struct ts_place other = *place;

    other.role = role;
    other.index = index;
    return other;
}

static enum ts_error
confirmation_hash(
    uint8_t hash[TS_HASH_BYTES], const struct ts_machine *machine, const struct ts_place *place, uint8_t role)
{
    struct ts_bytes payloads[TS_MACHINE_PAYLOADS];
    struct ts_place sender = ts_place_by(place, role, 0);

    if (machine->payload_count != machine->kind->confirmed)
        return TS_INTERNAL;
    for (size_t i = 0; i < machine->payload_count; i++)
        payloads[i] = (struct ts_bytes){machine->payloads[i].data, machine->payloads[i].len};
    return ts_confirmation(hash, &sender, payloads, machine->payload_count);
}

enum ts_error
ts_machine_confirm(struct ts_machine *machine, struct ts_buf *out, const struct ts_place *place, uint8_t role)
{
    uint8_t hash[TS_HASH_BYTES];
    enum ts_error error = confirmation_hash(machine->confirmation, machine, place, TS_ROLE_P1);

    if (error == TS_OK)
        error = confirmation_hash(hash, machine, place, role);
    return error == TS_OK ? ts_buf_put(out, hash, sizeof hash) : error;
}

enum ts_error
ts_machine_confirmed(
    struct ts_machine *machine, const struct ts_place *place, uint8_t role, const uint8_t *in, size_t len)
{
    uint8_t hash[TS_HASH_BYTES];

    if (len != sizeof hash)
        return TS_FORMAT;
    enum ts_error error = confirmation_hash(hash, machine, place, role);
    if (error != TS_OK)
        return error;
    return ts_equal(hash, in, sizeof hash) ? TS_OK : TS_CHEATED;
}
