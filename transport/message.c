#include "transport/message.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

struct message_row {
    int type;
    const char *name;
    size_t max;
    enum ts_message_sender sender;
};

/* The word in our enum is the word in log lines; that both are the schema's is tests/test_message.c's to show. */
#define ROW(name, max, sender)                                                                                         \
    {                                                                                                                  \
        TS_MESSAGE_##name, #name, max, sender                                                                          \
    }

/* The one table of messages: how large each may be and who sends it. Parameters of pairing are 128 repetitions of
 * numbers of at most 4096 bits, twice; the rounds of signing grow with the batch. */
static const struct message_row rows[] = {
    ROW(FAILURE, 4 * KIB, TS_FROM_BOTH),
    ROW(SESSION_HELLO, 4 * KIB, TS_FROM_P1),
    ROW(SESSION_HELLO_REPLY, 4 * KIB, TS_FROM_P2),
    ROW(PAIR_PROVE, 4 * KIB, TS_FROM_P1),
    ROW(PAIR_PROVE_REPLY, 4 * KIB, TS_FROM_P2),
    ROW(PAIR_INIT, 4 * KIB, TS_FROM_P1),
    ROW(PRE_PARAMS_P2, MIB, TS_FROM_P2),
    ROW(PRE_PARAMS_P1, MIB, TS_FROM_P1),
    ROW(PRE_PARAMS_CONFIRM, 4 * KIB, TS_FROM_P2),
    ROW(PRE_PARAMS_COMMIT, 4 * KIB, TS_FROM_P1),
    ROW(PRE_PARAMS_DONE, 0, TS_FROM_P2),
    ROW(PAIR_CODE, 32, TS_FROM_P1),
    ROW(PAIR_CODE_REPLY, 0, TS_FROM_P2),
    ROW(KEYGEN_INIT, 4 * KIB, TS_FROM_P1),
    ROW(KEYGEN_INIT_REPLY, 4 * KIB, TS_FROM_P2),
    ROW(KEYGEN_P1_COMMIT, 4 * KIB, TS_FROM_P1),
    ROW(KEYGEN_P2, 4 * KIB, TS_FROM_P2),
    ROW(KEYGEN_P1_OPEN, 64 * KIB, TS_FROM_P1),
    ROW(KEYGEN_CONFIRM, 4 * KIB, TS_FROM_P2),
    ROW(COMMIT, 4 * KIB, TS_FROM_P1),
    ROW(COMMIT_DONE, 4 * KIB, TS_FROM_P2),
    ROW(ABORT, 4 * KIB, TS_FROM_P1),
    ROW(ABORT_DONE, 4 * KIB, TS_FROM_P2),
    ROW(DESTROY, 4 * KIB, TS_FROM_P1),
    ROW(DESTROY_DONE, 4 * KIB, TS_FROM_P2),
    ROW(SIGN_ROUND_1, MIB + KIB, TS_FROM_P1),
    ROW(SIGN_ROUND_1_REPLY, MIB, TS_FROM_P2),
    ROW(SIGN_ROUND_2, MIB + 73 * KIB, TS_FROM_P1),
    ROW(SIGN_ROUND_2_REPLY, MIB + 5 * KIB, TS_FROM_P2),
    ROW(SIGN_REQUEST, 72 * KIB, TS_FROM_P1),
    ROW(SIGN_ROUND_3, 4 * KIB, TS_FROM_P2),
    ROW(LOCK, 4 * KIB, TS_FROM_BOTH),
    ROW(LOCK_DONE, 4 * KIB, TS_FROM_BOTH),
    ROW(REFRESH_INIT, 4 * KIB, TS_FROM_P1),
    ROW(REFRESH_INIT_REPLY, 4 * KIB, TS_FROM_P2),
    ROW(REFRESH_P1_COMMIT, 4 * KIB, TS_FROM_P1),
    ROW(REFRESH_P2, 4 * KIB, TS_FROM_P2),
    ROW(REFRESH_P1_OPEN, 64 * KIB, TS_FROM_P1),
    ROW(REFRESH_CONFIRM, 4 * KIB, TS_FROM_P2),
};

static const struct message_row *
find(int type)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

const char *
ts_message_name(int type)
{
    const struct message_row *row = find(type);
    return row ? row->name : "unknown type";
}

size_t
ts_message_max(int type)
{
    const struct message_row *row = find(type);
    return row ? row->max : 0;
}

enum ts_message_sender
ts_message_sender(int type)
{
    const struct message_row *row = find(type);
    return row ? row->sender : TS_FROM_NOBODY;
}
