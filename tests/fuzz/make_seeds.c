#include "mpc/refresh_run.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/proofs.h"
#include "tests/parties.h"
#include "transport/envelope.h"
#include "transport/message.h"
#include "transport/pair_uri.h"
#include "transport/upgrade.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Writes the seeds of every fuzz target from real messages: make_seeds FOLDER, by make fuzz-seeds. */

static const char *root;

/* One file: the leading bytes that select, then the message. */
static void
put(const char *target, const char *name, const void *front, size_t front_len, const void *bytes, size_t len)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", root, target);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    FILE *file = fopen(path, "wb");
    fuzz_need(file != NULL);
    fuzz_need(fwrite(front, 1, front_len, file) == front_len && fwrite(bytes, 1, len, file) == len);
    fuzz_need(fclose(file) == 0);
}

static void
put_message(const char *target, const char *name, uint8_t which, const struct ts_buf *message)
{
    fuzz_need(ts_buf_error(message) == TS_OK);
    put(target, name, &which, 1, message->data, message->len);
}

static void
seed_proofs(void)
{
    static const char *const names[] = {
        "dlog", "paillier_blum", "ring_pedersen", "no_small_factor", "enc_range_dlog", "affine_range"};
    static struct fuzz_world world;

    fuzz_open(&world);
    fuzz_prove(&world);
    for (uint8_t kind = 0; kind < FUZZ_PROOFS; kind++) {
        /* The two long ones go to the decoders only by their beginning; the verifier needs them whole. */
        struct ts_buf begin = world.good[kind];
        begin.len = begin.len > 8192 ? 8192 : begin.len;
        put_message("proofs", names[kind], kind, &begin);
        put_message("verify", names[kind], kind, &world.good[kind]);
    }
}

static void
seed_items(const struct parties *parties)
{
    static const char *const names[] = {"int", "p256", "secp256k1", "p384", "p521"};
    static const uint8_t number[] = {1, 0x12, 0x34, 0x56};
    struct ts_scope *scope = NULL;
    struct ts_buf items;

    fuzz_need(ts_scope_new(&scope) == TS_OK);
    put("items", names[0], "", 1, number, sizeof number);
    ts_buf_init(&items, 1024);
    for (uint8_t curve = TS_CURVE_P256; curve <= TS_CURVE_P521; curve++) {
        const struct ts_group *group = ts_mpc_group(parties->mpc, (enum ts_curve)curve);
        const struct ts_point *p = ts_point_mul_base(scope, group, ts_num_from_u64(scope, 7));
        uint8_t bytes[TS_POINT_MAX_BYTES];
        fuzz_need(ts_point_encode(bytes, group, p) == TS_OK);
        put("items", names[curve], &curve, 1, bytes, ts_group_point_bytes(group));
        if (curve != TS_CURVE_P256)
            continue;
        ts_item_put(&items, "a", number, sizeof number);
        ts_item_put_u32(&items, "b", 5);
        ts_item_put_int(&items, "c", ts_num_from_u64(scope, 77));
        ts_item_put_point(&items, "d", group, p);
    }
    put_message("items", "items", 9, &items);
    ts_buf_clear(&items);
    ts_scope_free(scope);
}

/* The payloads of one run, each for its decoder. */
static void
seed_run(const char *run, struct ts_machine *machines[2], const uint8_t *which, unsigned count)
{
    struct parties_record record = {0};
    char name[64];
    int failed = -1;

    fuzz_need(parties_pump(&failed, machines[0], machines[1], parties_record, &record) == TS_OK);
    for (unsigned i = 0; i < count; i++) {
        uint8_t front[2] = {which[i], 0};
        const struct ts_buf *payload = &record.payloads[i];
        size_t len = payload->len > 16384 ? 16384 : payload->len;
        snprintf(name, sizeof name, "%s-%u", run, i + 1);
        put("payloads", name, front, sizeof front, payload->data, len);
    }
    parties_record_clear(&record);
    ts_machine_free(machines[0]);
    ts_machine_free(machines[1]);
}

static void
seed_payloads(struct parties *parties)
{
    static const uint8_t pair[] = {0, 1, 2}, keygen[] = {3, 4, 5, 6, 7}, presign[] = {11, 12, 13, 14};
    static const uint8_t refresh[] = {8, 4, 5, 9, 10}, key[TS_KEY_ID_BYTES] = {1};
    struct ts_pairing *fresh[2];
    struct ts_machine *machines[2];

    parties_pair_machines(machines, parties, 2048, 2, 3);
    seed_run("pair", machines, pair, 3);
    fuzz_need(ts_keygen_p1_new(&machines[0], parties->mpc, parties->pairing[0], TS_CURVE_P256, key) == TS_OK);
    fuzz_need(ts_keygen_p2_new(&machines[1], parties->mpc, parties->pairing[1]) == TS_OK);
    seed_run("keygen", machines, keygen, 5);
    parties_presign_machines(machines, parties, 1, 0);
    seed_run("presign", machines, presign, 4);
    parties_pair(fresh, parties, 2048, 2, 3);
    memcpy(fresh[1]->id, fresh[0]->id, sizeof fresh[1]->id);
    fuzz_need(ts_refresh_p1_new(&machines[0], parties->mpc, fresh[0], parties->half[0]) == TS_OK);
    fuzz_need(ts_refresh_p2_new(&machines[1], parties->mpc, fresh[1], parties->half[1]) == TS_OK);
    seed_run("refresh", machines, refresh, 5);
    ts_pairing_free(fresh[0]);
    ts_pairing_free(fresh[1]);
}

static void
seed_answer(struct parties *parties)
{
    static const uint8_t digest[32] = {1}, front[2] = {15, 0};
    struct ts_presig_p1 *p1;
    struct ts_presig_p2 *p2;
    struct ts_buf answer;

    parties_presign(&p1, &p2, parties, 1, 1);
    ts_buf_init(&answer, 1024);
    fuzz_need(ts_presig_p2_bind(p2, digest, sizeof digest) == TS_OK);
    fuzz_need(ts_presig_p2_answer(&answer, p2, digest, sizeof digest) == TS_OK);
    put("payloads", "answer", front, sizeof front, answer.data, answer.len);
    ts_buf_clear(&answer);
    ts_presig_p1_free(p1);
    ts_presig_p2_free(p2);
}

static void
seed_machines(void)
{
    static const uint8_t edits[] = {0, 0, 5, 1, 5, 0, 1, 0x80};
    char name[32];

    for (uint8_t run = 0; run < 3; run++) {
        for (uint8_t number = 0; number < (run == 1 ? 4 : 6); number++) {
            uint8_t front[2] = {run, number};
            snprintf(name, sizeof name, "run%u-%u", run, number + 1u);
            put("machines", name, front, sizeof front, edits, number % 2 ? sizeof edits : sizeof edits / 2);
        }
    }
    put("machines", "honest", "\1\0", 2, edits, 0);
}

static void
seed_stored(struct parties *parties)
{
    struct ts_buf bytes;

    for (int role = 0; role < 2; role++) {
        ts_buf_init(&bytes, 65536);
        fuzz_need(ts_pairing_encode(&bytes, parties->pairing[role]) == TS_OK);
        put_message("stored", role ? "pairing2" : "pairing1", 0, &bytes);
        ts_buf_clear(&bytes);
        fuzz_need(ts_half_encode(&bytes, parties->mpc, parties->half[role]) == TS_OK);
        put_message("stored", role ? "half2" : "half1", 1, &bytes);
        ts_buf_clear(&bytes);
    }
}

static const struct ts_context context = {"signing key", "openssl", "build-host", "alice"};

static void
seed_requests(struct ts_buf *out)
{
    const struct ts_sign_request request = {.batch = 3,
        .index = 1,
        .key = {1, 2},
        .mechanism = "ECDSA_SHA256",
        .digest = (const uint8_t *)"0123456789abcdef0123456789abcdef",
        .digest_len = 32,
        .message = (const uint8_t *)"message",
        .message_len = 7,
        .has_message = true,
        .context = context};
    const struct ts_sign_round2 round2 = {.payload = (const uint8_t *)"p", .payload_len = 1};
    const struct ts_sign_round2_reply reply = {.payload = (const uint8_t *)"p", .payload_len = 1};
    const struct ts_sign_round1 round1 = {
        .key = {9}, .generation = 2, .batch = 4, .payload = (const uint8_t *)"p", .payload_len = 1};

    ts_sign_round1_encode(out, &round1);
    put_message("messages", "sign_round1", 5, out);
    ts_buf_clear(out);
    ts_sign_round2_encode(out, &round2);
    put_message("messages", "sign_round2", 6, out);
    ts_buf_clear(out);
    ts_sign_round2_reply_encode(out, &reply);
    put_message("messages", "sign_round2_reply", 7, out);
    ts_buf_clear(out);
    ts_sign_request_encode(out, &request);
    put_message("messages", "sign_request", 8, out);
    ts_buf_clear(out);
}

static void
seed_messages(struct ts_buf *out)
{
    const struct ts_failure failure = {TS_REFUSED, "the user said no"};
    const struct ts_session_hello hello = {{1, 2, 3}};
    const struct ts_pair_prove prove = {{4, 5}, "phone"};
    const struct ts_keygen_init init = {.payload = (const uint8_t *)"p", .payload_len = 1, .context = context};
    const struct ts_commit commit = {{1}, 2, {3}};
    const struct ts_lock lock = {{1}, "a proof was wrong"};
    const struct ts_refresh_ask ask = {.key = {1}, .generation = 2, .context = context};
    const struct ts_refresh_init refresh = {
        .key = {1}, .generation = 2, .payload = (const uint8_t *)"p", .payload_len = 1};

    ts_failure_encode(out, &failure);
    put_message("messages", "failure", 0, out);
    ts_buf_clear(out);
    ts_session_hello_encode(out, &hello);
    put_message("messages", "session_hello", 1, out);
    ts_buf_clear(out);
    ts_pair_prove_encode(out, &prove);
    put_message("messages", "pair_prove", 2, out);
    ts_buf_clear(out);
    ts_keygen_init_encode(out, &init);
    put_message("messages", "keygen_init", 3, out);
    ts_buf_clear(out);
    ts_commit_encode(out, &commit);
    put_message("messages", "commit", 4, out);
    ts_buf_clear(out);
    ts_lock_encode(out, &lock);
    put_message("messages", "lock", 9, out);
    ts_buf_clear(out);
    ts_refresh_init_encode(out, &refresh);
    put_message("messages", "refresh_init", 10, out);
    ts_buf_clear(out);
    ts_refresh_ask_encode(out, &ask);
    put_message("messages", "refresh_ask", 12, out);
    ts_buf_clear(out);
}

static void
seed_connection(struct ts_buf *out, const struct ts_env *env)
{
    static const uint8_t hello[] = {1, 2, 3};
    const struct ts_envelope envelope = {.session = {1},
        .sequence = 1,
        .serial = 1,
        .type = TS_MESSAGE_KEYGEN_P2,
        .payload = hello,
        .payload_len = sizeof hello};
    const struct ts_pair_uri uri = {"phone.example:8083", {1, 2, 3}, {4, 5, 6}};
    const struct ts_upgrade request = {.key = "dGhlIHNhbXBsZSBub25jZQ==", .named = true, .link = {7, 8, 9}};
    uint8_t frame[512] = {0x82, 0};
    char text[1024];

    fuzz_need(ts_envelope_encode(out, &envelope) == TS_OK && out->len < 126);
    put_message("messages", "envelope", 11, out);
    frame[1] = (uint8_t)out->len;
    memcpy(frame + 2, out->data, out->len);
    put("websocket", "to_dialler", "\1\377", 2, frame, 2 + out->len);
    frame[1] |= 0x80; /* masked with zeros */
    memset(frame + 2, 0, 4);
    memcpy(frame + 6, out->data, out->len);
    put("websocket", "to_listener", "\0\10", 2, frame, 6 + out->len);
    put("websocket", "ping", "\0\10", 2, "\x89\x80\0\0\0\0", 6);
    /* A call that is answered and asked again; a session of the other side; a session that is over. */
    put("link", "call", "", 0,
        "\5\1\1\0"
        "\5\1\0\3"
        "\1\0\0\0"
        "\0\1\11\4"
        "\0\1\11\4"
        "\1\0\0\0"
        "\5\1\2\0"
        "\5\1\3\0"
        "\1\0\0\0",
        36);
    put("link", "served", "", 0,
        "\0\2\201\3"
        "\5\0\0\0"
        "\5\0\2\0"
        "\5\0\0\2"
        "\1\0\0\0"
        "\3\0\0\0"
        "\2\377\0\0"
        "\1\0\0\0"
        "\0\2\10\2"
        "\5\0\3\0",
        40);
    put("link", "over", "", 0,
        "\0\2\0\1"
        "\1\0\0\0"
        "\4\0\0\0"
        "\0\2\202\3"
        "\1\0\0\0",
        20);
    ts_buf_clear(out);
    fuzz_need(ts_upgrade_request_encode(out, "phone:8083", &request) == TS_OK);
    put("upgrade", "request", "", 0, out->data, out->len);
    ts_buf_clear(out);
    fuzz_need(ts_upgrade_response_encode(out, env, 101, &request, true) == TS_OK);
    put("upgrade", "response", "", 0, out->data, out->len);
    ts_buf_clear(out);
    fuzz_need(ts_pair_uri_encode(text, sizeof text, &uri) == TS_OK);
    put("pair_uri", "uri", "", 0, text, strlen(text));
    put("pair_uri", "ipv6", "", 0, "tallystick:[::1]:8083?k=A&s=B", 29);
}

static void
seed_config(void)
{
    char text[16384];
    FILE *example = fopen(TS_TESTDIR "/../docs/tallystick.yaml.example", "r");

    fuzz_need(example != NULL);
    size_t len = fread(text, 1, sizeof text, example);
    fclose(example);
    put("config", "example", "", 0, text, len);
    put("config", "short", "", 0, "modulus_bits: 2048\npeer: {listen: '[::]:1'}\n", 43);
}

int
main(int argc, char **argv)
{
    struct parties_saved saved;
    struct parties parties;
    struct ts_buf out;

    if (argc != 2)
        return 2;
    root = argv[1];
    parties_save(&saved, TS_CURVE_P256, 2048, 0);
    parties_open(&parties, &saved);
    ts_buf_init(&out, TS_ENVELOPE_MAX_BYTES);
    seed_proofs();
    seed_items(&parties);
    seed_payloads(&parties);
    seed_answer(&parties);
    seed_machines();
    seed_stored(&parties);
    seed_messages(&out);
    seed_requests(&out);
    seed_connection(&out, &parties.env);
    seed_config();
    parties_close(&parties);
    parties_saved_clear(&saved);
    return 0;
}
