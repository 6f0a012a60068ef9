#include "tests/check_main.h"
#include "transport/envelope.h"
#include "transport/message.h"
#include "transport/tallystick.pb-c.h"

#include <string.h>
#include <sys/resource.h>

static const uint8_t some[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

START_TEST(the_table_is_the_schema)
{
    const ProtobufCEnumDescriptor *types = &tallystick__message_type__descriptor;

    for (unsigned i = 0; i < types->n_values; i++) {
        int type = types->values[i].value;
        if (type == TALLYSTICK__MESSAGE_TYPE__MESSAGE_NONE)
            continue;
        ck_assert_str_eq(ts_message_name(type), types->values[i].name);
        ck_assert_int_ne(ts_message_sender(type), TS_FROM_NOBODY);
        ck_assert_uint_le(ts_message_max(type), TS_MESSAGE_MAX_BYTES);
    }
    unsigned known = 0;
    for (int type = -1; type < 1000; type++)
        known += ts_message_sender(type) != TS_FROM_NOBODY;
    ck_assert_uint_eq(known, types->n_values - 1);
    ck_assert_str_eq(ts_message_name(0), "unknown type");
    ck_assert_uint_eq(ts_message_max(999), 0);
    ck_assert_int_eq(ts_message_sender(TS_MESSAGE_SIGN_ROUND_1), TS_FROM_P1);
    ck_assert_int_eq(ts_message_sender(TS_MESSAGE_SIGN_ROUND_3), TS_FROM_P2);
}
END_TEST

static struct ts_sign_request
a_request(void)
{
    struct ts_sign_request request = {.batch = 1ull << 40,
        .index = 7,
        .generation = 2,
        .digest = some,
        .digest_len = sizeof some,
        .message = some,
        .message_len = 4,
        .has_message = true};

    memset(request.key, 0xab, sizeof request.key);
    strcpy(request.mechanism, "ECDSA-SHA256");
    strcpy(request.context.label, "Schl\xc3\xbcssel");
    strcpy(request.context.application, "nginx");
    return request;
}

START_TEST(a_request_survives)
{
    struct ts_sign_request in = a_request(), out;
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_SIGN_REQUEST_MAX_BYTES);
    ck_assert_int_eq(ts_sign_request_encode(&bytes, &in), TS_OK);
    ck_assert_int_eq(ts_sign_request_decode(&out, bytes.data, bytes.len), TS_OK);
    memset(bytes.data, 0, bytes.len); /* what was decoded does not live there */
    ck_assert_uint_eq(out.batch, in.batch);
    ck_assert_uint_eq(out.index, in.index);
    ck_assert_uint_eq(out.generation, in.generation);
    ck_assert_mem_eq(out.key, in.key, sizeof in.key);
    ck_assert_str_eq(out.mechanism, in.mechanism);
    ck_assert_uint_eq(out.digest_len, in.digest_len);
    ck_assert_mem_eq(out.digest, in.digest, in.digest_len);
    ck_assert(out.has_message);
    ck_assert_uint_eq(out.message_len, in.message_len);
    ck_assert_mem_eq(out.message, in.message, in.message_len);
    ck_assert_mem_eq(&out.context, &in.context, sizeof in.context);
    ts_sign_request_clear(&out);
    ts_buf_clear(&bytes);
}
END_TEST

static enum ts_error
encode_request(const struct ts_sign_request *request)
{
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_SIGN_REQUEST_MAX_BYTES);
    enum ts_error error = ts_sign_request_encode(&bytes, request);
    ts_buf_clear(&bytes);
    return error;
}

START_TEST(a_request_out_of_bounds_is_not_written)
{
    static uint8_t large[TS_SIGN_MESSAGE_MAX_BYTES + 1];
    struct ts_sign_request request = a_request();

    request.digest_len = 0;
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
    request = a_request();
    request.digest = large;
    request.digest_len = TS_DIGEST_MAX_BYTES + 1;
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
    request = a_request();
    request.has_message = false;
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
    request = a_request();
    request.message = large;
    request.message_len = sizeof large;
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
    request.message_len--;
    ck_assert_int_eq(encode_request(&request), TS_OK);
    request = a_request();
    request.mechanism[0] = 0;
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
    request = a_request();
    strcpy(request.context.user, "two\nlines");
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
    request = a_request();
    memset(request.context.host, 'x', sizeof request.context.host); /* no NUL */
    ck_assert_int_eq(encode_request(&request), TS_USAGE);
}
END_TEST

/* A schema message filled by hand, so that it can hold what our encoder refuses to write. */
static enum ts_error
decode_wire(const Tallystick__SignRequest *wire, const char *append, size_t append_len)
{
    static uint8_t bytes[(size_t)2 * TS_SIGN_REQUEST_MAX_BYTES];
    struct ts_sign_request out;

    size_t len = tallystick__sign_request__pack(wire, bytes);
    memcpy(bytes + len, append, append_len);
    enum ts_error error = ts_sign_request_decode(&out, bytes, len + append_len);
    ts_sign_request_clear(&out);
    return error;
}

struct wire_request {
    Tallystick__SignRequest request;
    Tallystick__Context context;
    uint8_t key[32];
};

static void
fill_wire(struct wire_request *wire)
{
    static char mechanism[] = "ECDSA";

    tallystick__sign_request__init(&wire->request);
    tallystick__context__init(&wire->context);
    memset(wire->key, 1, sizeof wire->key);
    wire->request.batch = 1;
    wire->request.key = (ProtobufCBinaryData){TS_KEY_ID_BYTES, wire->key};
    wire->request.digest = (ProtobufCBinaryData){32, wire->key};
    wire->request.mechanism = mechanism;
    wire->request.context = &wire->context;
}

#define DECODE(wire) decode_wire(&(wire).request, "", 0)

START_TEST(fields_out_of_bounds_are_refused)
{
    static uint8_t large[TS_SIGN_MESSAGE_MAX_BYTES + 1];
    struct wire_request wire;
    char text[80];

    fill_wire(&wire);
    ck_assert_int_eq(DECODE(wire), TS_OK);
    wire.request.key.len--;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    wire.request.key.len += 2;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    fill_wire(&wire);
    wire.request.digest = (ProtobufCBinaryData){TS_DIGEST_MAX_BYTES + 1, large};
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    wire.request.digest.len = 0;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    fill_wire(&wire);
    wire.request.message = (ProtobufCBinaryData){1, large};
    ck_assert_int_eq(DECODE(wire), TS_FORMAT); /* without has_message */
    wire.request.has_message = 1;
    ck_assert_int_eq(DECODE(wire), TS_OK);
    wire.request.message.len = sizeof large;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    fill_wire(&wire);
    wire.request.context = NULL;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    fill_wire(&wire);
    memset(text, 'a', sizeof text);
    text[TS_TEXT_BYTES - 1] = 0;
    wire.context.label = text;
    ck_assert_int_eq(DECODE(wire), TS_OK);
    text[TS_TEXT_BYTES - 1] = 'a';
    text[TS_TEXT_BYTES] = 0;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    fill_wire(&wire);
    text[TS_MECHANISM_BYTES] = 0;
    wire.request.mechanism = text;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
    text[0] = 0;
    ck_assert_int_eq(DECODE(wire), TS_FORMAT);
}
END_TEST

START_TEST(what_is_not_canonical_is_refused)
{
    struct wire_request wire;

    fill_wire(&wire);
    ck_assert_int_eq(decode_wire(&wire.request, "\x50\x01", 2), TS_FORMAT);         /* field 10, unknown */
    ck_assert_int_eq(decode_wire(&wire.request, "\x08\x01", 2), TS_FORMAT);         /* batch again */
    ck_assert_int_eq(decode_wire(&wire.request, "\x10\x00", 2), TS_FORMAT);         /* a default written out */
    ck_assert_int_eq(decode_wire(&wire.request, "\x10\x01", 2), TS_FORMAT);         /* not in order */
    ck_assert_int_eq(decode_wire(&wire.request, "\x4a\x02\x0a\x00", 4), TS_FORMAT); /* context again */
    ck_assert_int_eq(decode_wire(&wire.request, "\x4a", 1), TS_FORMAT);             /* cut */
    ck_assert_int_eq(decode_wire(&wire.request, "\x4a\xff\xff\xff\xff\x0f", 6), TS_FORMAT);

    /* Inside the context, which stands last: one more field and its length. */
    static uint8_t bytes[512];
    struct ts_sign_request out;
    size_t len = tallystick__sign_request__pack(&wire.request, bytes);
    ck_assert_uint_eq(bytes[len - 1], 0);
    memcpy(bytes + len - 1, "\x02\x28\x01", 3);
    ck_assert_int_eq(ts_sign_request_decode(&out, bytes, len + 2), TS_FORMAT);
    memcpy(bytes + len - 1, "\x05\x0a\x03x\0y", 6); /* a NUL inside a text */
    ck_assert_int_eq(ts_sign_request_decode(&out, bytes, len + 5), TS_FORMAT);
    memcpy(bytes + len - 1, "\x05\x0a\x03xzy", 6);
    ck_assert_int_eq(ts_sign_request_decode(&out, bytes, len + 5), TS_OK);
    ts_sign_request_clear(&out);
}
END_TEST

START_TEST(every_cut_and_every_flipped_bit_is_survived)
{
    struct ts_sign_request in = a_request(), out;
    struct ts_buf bytes, again;

    ts_buf_init(&bytes, TS_SIGN_REQUEST_MAX_BYTES);
    ts_buf_init(&again, TS_SIGN_REQUEST_MAX_BYTES);
    ck_assert_int_eq(ts_sign_request_encode(&bytes, &in), TS_OK);
    for (size_t len = 0; len < bytes.len; len++)
        ck_assert_int_eq(ts_sign_request_decode(&out, bytes.data, len), TS_FORMAT);
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (ts_sign_request_decode(&out, bytes.data, bytes.len) == TS_OK) {
            /* Then it is another value, and its only encoding is this one. */
            ck_assert_int_eq(ts_sign_request_encode(&again, &out), TS_OK);
            ck_assert_uint_eq(again.len, bytes.len);
            ck_assert_mem_eq(again.data, bytes.data, bytes.len);
            ts_buf_clear(&again);
        }
        ts_sign_request_clear(&out);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ts_buf_clear(&bytes);
}
END_TEST

START_TEST(the_small_messages_survive)
{
    struct ts_buf bytes;
    struct ts_session_hello hello = {{1}}, hello_out;
    struct ts_pair_prove prove = {{2}, "phone"}, prove_out;
    struct ts_commit commit = {{3}, 4, {5}}, commit_out;
    struct ts_lock lock = {{6}, "sigma was wrong"}, lock_out;
    struct ts_refresh_ask ask = {{7}, 8, {"", "program", "host", "user"}}, ask_out;

    ts_buf_init(&bytes, 4096);
    ck_assert_int_eq(ts_session_hello_encode(&bytes, &hello), TS_OK);
    ck_assert_int_eq(ts_session_hello_decode(&hello_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(&hello, &hello_out, sizeof hello);
    ck_assert_int_eq(ts_session_hello_decode(&hello_out, bytes.data, bytes.len - 1), TS_FORMAT);
    ck_assert_int_eq(ts_session_hello_decode(&hello_out, NULL, 0), TS_FORMAT);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_pair_prove_encode(&bytes, &prove), TS_OK);
    ck_assert_int_eq(ts_pair_prove_decode(&prove_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(&prove, &prove_out, sizeof prove);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_commit_encode(&bytes, &commit), TS_OK);
    ck_assert_int_eq(ts_commit_decode(&commit_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(&commit, &commit_out, sizeof commit);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_refresh_ask_encode(&bytes, &ask), TS_OK);
    ck_assert_int_eq(ts_refresh_ask_decode(&ask_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(&ask, &ask_out, sizeof ask);
    ck_assert_int_eq(ts_refresh_ask_decode(&ask_out, bytes.data, bytes.len - 1), TS_FORMAT);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_commit_encode(&bytes, &commit), TS_OK);
    /* The same fields with other lengths: a lock read as a commit. */
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_lock_encode(&bytes, &lock), TS_OK);
    ck_assert_int_eq(ts_lock_decode(&lock_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(&lock, &lock_out, sizeof lock);
    ck_assert_int_eq(ts_commit_decode(&commit_out, bytes.data, bytes.len), TS_FORMAT);
    ts_buf_clear(&bytes);
    prove.name[0] = 0;
    ck_assert_int_eq(ts_pair_prove_encode(&bytes, &prove), TS_USAGE);
    ts_buf_clear(&bytes);
}
END_TEST

START_TEST(the_larger_messages_survive)
{
    struct ts_buf bytes;
    struct ts_keygen_init init = {some, sizeof some, {"label", "", "host", ""}, NULL, true}, init_out;
    struct ts_sign_round1 one = {{1}, 2, 3, some, sizeof some, NULL}, one_out;
    struct ts_sign_round2 two = {some, 1, some, 2, NULL}, two_out;
    struct ts_sign_round2_reply reply = {some, 3, NULL, 0, NULL}, reply_out;
    struct ts_refresh_init refresh = {{4}, 5, some, 6, NULL}, refresh_out;

    ts_buf_init(&bytes, 4096);
    ck_assert_int_eq(ts_keygen_init_encode(&bytes, &init), TS_OK);
    ck_assert_int_eq(ts_keygen_init_decode(&init_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(&init.context, &init_out.context, sizeof init.context);
    ck_assert_mem_eq(init_out.payload, some, init_out.payload_len);
    ck_assert(init_out.temporary);
    ck_assert_mem_eq(init_out.parameters, init.parameters, sizeof init.parameters);
    ts_keygen_init_clear(&init_out);
    ts_buf_clear(&bytes);
    init.parameters[31] = 7;
    ck_assert_int_eq(ts_keygen_init_encode(&bytes, &init), TS_OK);
    ck_assert_int_eq(ts_keygen_init_decode(&init_out, bytes.data, bytes.len), TS_OK);
    ck_assert_mem_eq(init_out.parameters, init.parameters, sizeof init.parameters);
    ts_keygen_init_clear(&init_out);
    bytes.data[bytes.len - 1] = 0; /* the first parameters, written out */
    ck_assert_int_eq(ts_keygen_init_decode(&init_out, bytes.data, bytes.len), TS_FORMAT);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_sign_round1_encode(&bytes, &one), TS_OK);
    ck_assert_int_eq(ts_sign_round1_decode(&one_out, bytes.data, bytes.len), TS_OK);
    ck_assert_uint_eq(one_out.batch, 3);
    ck_assert_uint_eq(one_out.generation, 2);
    ck_assert_mem_eq(one_out.key, one.key, sizeof one.key);
    ck_assert_uint_eq(one_out.payload_len, sizeof some);
    ts_sign_round1_clear(&one_out);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_sign_round2_encode(&bytes, &two), TS_OK);
    ck_assert_int_eq(ts_sign_round2_decode(&two_out, bytes.data, bytes.len), TS_OK);
    ck_assert_uint_eq(two_out.payload_len, 1);
    ck_assert_uint_eq(two_out.request_len, 2);
    ts_sign_round2_clear(&two_out);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_sign_round2_reply_encode(&bytes, &reply), TS_OK);
    ck_assert_int_eq(ts_sign_round2_reply_decode(&reply_out, bytes.data, bytes.len), TS_OK);
    ck_assert_uint_eq(reply_out.payload_len, 3);
    ck_assert_uint_eq(reply_out.answer_len, 0);
    ts_sign_round2_reply_clear(&reply_out);
    ts_buf_clear(&bytes);
    ck_assert_int_eq(ts_refresh_init_encode(&bytes, &refresh), TS_OK);
    ck_assert_int_eq(ts_refresh_init_decode(&refresh_out, bytes.data, bytes.len), TS_OK);
    ck_assert_uint_eq(refresh_out.generation, 5);
    ck_assert_uint_eq(refresh_out.payload_len, 6);
    ts_refresh_init_clear(&refresh_out);
    ts_buf_clear(&bytes);
    one.payload_len = 0;
    ck_assert_int_eq(ts_sign_round1_encode(&bytes, &one), TS_USAGE);
    two.request_len = TS_SIGN_REQUEST_MAX_BYTES + 1;
    ck_assert_int_eq(ts_sign_round2_encode(&bytes, &two), TS_USAGE);
}
END_TEST

START_TEST(failures_keep_their_class)
{
    for (int error = TS_USAGE; error <= TS_INCAPABLE; error++) {
        struct ts_failure failure = {(enum ts_error)error, "why"}, out;
        struct ts_buf bytes;
        ts_buf_init(&bytes, 4096);
        ck_assert_int_eq(ts_failure_encode(&bytes, &failure), TS_OK);
        ck_assert_int_eq(ts_failure_decode(&out, bytes.data, bytes.len), TS_OK);
        ck_assert_int_eq(out.error, error <= TS_NOT_FOUND || error == TS_INCAPABLE ? error : TS_INTERNAL);
        ck_assert_str_eq(out.reason, "why");
        ts_buf_clear(&bytes);
    }
    struct ts_failure out;
    ck_assert_int_eq(ts_failure_decode(&out, (const uint8_t *)"\x08\x0c", 2), TS_FORMAT);
    ck_assert_int_eq(ts_failure_decode(&out, NULL, 0), TS_FORMAT); /* class 0 is no failure */
}
END_TEST

static enum ts_error
decode_envelope(const Tallystick__Envelope *wire)
{
    static uint8_t bytes[(size_t)2 * TS_MESSAGE_MAX_BYTES];
    struct ts_envelope out;

    size_t len = tallystick__envelope__pack(wire, bytes);
    enum ts_error error = ts_envelope_decode(&out, bytes, len);
    ts_envelope_clear(&out);
    return error;
}

START_TEST(envelopes_out_of_bounds_are_refused)
{
    static uint8_t large[TS_MESSAGE_MAX_BYTES];
    Tallystick__Envelope wire = TALLYSTICK__ENVELOPE__INIT;

    wire.version = 1;
    wire.session = (ProtobufCBinaryData){TS_SESSION_ID_BYTES, large};
    wire.sequence = 1;
    wire.type = TALLYSTICK__MESSAGE_TYPE__COMMIT;
    wire.payload = (ProtobufCBinaryData){4096, large};
    ck_assert_int_eq(decode_envelope(&wire), TS_OK);
    wire.payload.len = 4097;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.type = TALLYSTICK__MESSAGE_TYPE__PRE_PARAMS_P1;
    wire.payload.len = (size_t)1 << 20;
    ck_assert_int_eq(decode_envelope(&wire), TS_OK);
    wire.payload.len = sizeof large;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.payload.len = 0;
    wire.version = 2;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.version = 1;
    wire.sequence = 0;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.sequence = 1;
    wire.serial = 1ull << 63;
    ck_assert_int_eq(decode_envelope(&wire), TS_OK);
    wire.serial = 0;
    wire.session.len = 15;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.session.len = 16;
    wire.type = (Tallystick__MessageType)99;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.type = TALLYSTICK__MESSAGE_TYPE__MESSAGE_NONE;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
    wire.type = TALLYSTICK__MESSAGE_TYPE__PRE_PARAMS_DONE;
    ck_assert_int_eq(decode_envelope(&wire), TS_OK);
    wire.payload.len = 1;
    ck_assert_int_eq(decode_envelope(&wire), TS_FORMAT);
}
END_TEST

static long
most_resident_kib(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Without its memory becoming many times what was sent: two million fields of forty bytes each. */
START_TEST(a_flood_of_unknown_fields_is_refused)
{
    static uint8_t bytes[TS_MESSAGE_MAX_BYTES];
    struct ts_envelope out;

    for (size_t i = 0; i < sizeof bytes; i += 2)
        memcpy(bytes + i, "\x78\x01", 2);
    long before = most_resident_kib();
    ck_assert_int_eq(ts_envelope_decode(&out, bytes, sizeof bytes), TS_FORMAT);
    ck_assert_int_lt(most_resident_kib() - before, 8 * (long)(sizeof bytes / 1024));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("message");
    TCase *tests = tcase_create("message");

    tcase_add_test(tests, the_table_is_the_schema);
    tcase_add_test(tests, a_request_survives);
    tcase_add_test(tests, a_request_out_of_bounds_is_not_written);
    tcase_add_test(tests, fields_out_of_bounds_are_refused);
    tcase_add_test(tests, what_is_not_canonical_is_refused);
    tcase_add_test(tests, every_cut_and_every_flipped_bit_is_survived);
    tcase_add_test(tests, the_small_messages_survive);
    tcase_add_test(tests, the_larger_messages_survive);
    tcase_add_test(tests, failures_keep_their_class);
    tcase_add_test(tests, envelopes_out_of_bounds_are_refused);
    tcase_add_test(tests, a_flood_of_unknown_fields_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
