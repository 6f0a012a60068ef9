#include "tests/fuzz/fuzz.h"
#include "tests/parties.h"

#include <string.h>

/* Both roles of key generation, presignatures and refresh, with one message changed on its way. First byte: the run;
 * second: which message; then edits of it, four bytes each: what, where (two), value. A run with a changed message
 * never ends well at both sides, but for P2's commitment to a nonce, which is opened with the signature. */

enum { KEYGEN, PRESIGN, REFRESH, RUNS };

#define SEVERAL 8 /* edits of one message */

static struct parties parties;
static struct ts_pairing *fresh[2];
static const uint8_t key_id[TS_KEY_ID_BYTES] = "sixteen bytes id";

struct edit {
    const uint8_t *edits;
    size_t len;
    unsigned number;
    struct ts_buf before;
    bool changed, nonce_only;
};

static void
open_parties(void)
{
    struct parties_saved saved, other;

    parties_save(&saved, TS_CURVE_P256, 2048, 0);
    parties_save(&other, TS_CURVE_P256, 2048, 2);
    parties_open(&parties, &saved);
    for (int i = 0; i < 2; i++) {
        fuzz_need(ts_pairing_decode(&fresh[i], parties.mpc, other.pairing[i].data, other.pairing[i].len) == TS_OK);
        memcpy(fresh[i]->id, parties.pairing[i]->id, TS_PAIRING_ID_BYTES);
    }
    parties_saved_clear(&saved);
    parties_saved_clear(&other);
}

static void
machines_of(struct ts_machine *machines[2], unsigned run)
{
    if (run == PRESIGN)
        parties_presign_machines(machines, &parties, 1, 0);
    if (run == KEYGEN)
        fuzz_need(ts_keygen_p1_new(&machines[0], parties.mpc, parties.pairing[0], TS_CURVE_P256, key_id) == TS_OK &&
                  ts_keygen_p2_new(&machines[1], parties.mpc, parties.pairing[1]) == TS_OK);
    if (run == REFRESH)
        fuzz_need(ts_refresh_p1_new(&machines[0], parties.mpc, fresh[0], parties.half[0]) == TS_OK &&
                  ts_refresh_p2_new(&machines[1], parties.mpc, fresh[1], parties.half[1]) == TS_OK);
}

static void
apply(struct ts_buf *payload, const uint8_t edit[4])
{
    size_t place = ((size_t)edit[1] << 8 | edit[2]) % payload->len;

    switch (edit[0] % 6) {
    case 0:
        payload->data[place] ^= edit[3];
        break;
    case 1:
        payload->len = place ? place : 1;
        break;
    case 2:
        (void)ts_buf_put_u8(payload, edit[3]);
        break;
    case 3: /* a byte less in the middle */
        memmove(payload->data + place, payload->data + place + 1, payload->len - place - 1);
        payload->len -= payload->len > 1;
        break;
    case 4:
        payload->data[place] = edit[3];
        break;
    default: /* counted from the end, where the smaller items are */
        payload->data[payload->len - 1 - place] ^= edit[3];
    }
}

static void
tamper(void *ctx, unsigned number, struct ts_buf *payload)
{
    struct edit *edit = ctx;

    if (number != edit->number)
        return;
    ts_buf_clear(&edit->before);
    fuzz_need(ts_buf_put(&edit->before, payload->data, payload->len) == TS_OK);
    for (size_t i = 0; i + 4 <= edit->len && i < 4 * SEVERAL; i += 4)
        apply(payload, edit->edits + i);
    const struct ts_buf *before = &edit->before;
    size_t head = before->len > TS_HASH_BYTES ? before->len - TS_HASH_BYTES : 0;
    edit->changed = before->len != payload->len || memcmp(before->data, payload->data, payload->len) != 0;
    edit->nonce_only = before->len == payload->len && memcmp(before->data, payload->data, head) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ts_machine *machines[2] = {0};
    int failed = -1;

    if (!parties.mpc)
        open_parties();
    if (size < 2)
        return 0;
    unsigned run = data[0] % RUNS;
    struct edit edit = {.edits = data + 2, .len = size - 2, .number = 1 + data[1] % (run == PRESIGN ? 4u : 6u)};
    ts_buf_init(&edit.before, (size_t)1 << 20);
    machines_of(machines, run);
    enum ts_error error = parties_pump(&failed, machines[0], machines[1], tamper, &edit);
    bool harmless = run == PRESIGN && edit.number == 2 && edit.nonce_only;
    if (edit.changed && !harmless)
        fuzz_need(error == TS_FORMAT || error == TS_CHEATED);
    else
        fuzz_need(error == TS_OK);
    ts_buf_clear(&edit.before);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
    return 0;
}
