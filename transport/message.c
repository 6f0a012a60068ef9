#include "transport/message.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

struct message_row {
    int type;
    const char *name;
    size_t max;
    enum ts_message_sender sender;
    int next;   /* what comes after it in its session; TS_MESSAGE_NONE: nothing */
    bool first; /* a session may begin with it */
};

/* The word in our enum is the word in log lines; that both are the schema's is tests/test_message.c's to show. */
#define ROW(name, max, sender, next)                                                                                   \
    {                                                                                                                  \
        TS_MESSAGE_##name, #name, max, sender, TS_MESSAGE_##next, false                                                \
    }
#define FIRST(name, max, sender, next)                                                                                 \
    {                                                                                                                  \
        TS_MESSAGE_##name, #name, max, sender, TS_MESSAGE_##next, true                                                 \
    }
#define LAST(name, max, sender) ROW(name, max, sender, NONE)

/* The one table of messages: how large each may be, who sends it, and what is due after it. Parameters of pairing are
 * 128 repetitions of numbers of at most 4096 bits, twice; the rounds of signing grow with the batch. A pairing ends with
 * PRE_PARAMS_DONE, where a refresh goes on; a batch ends with SIGN_ROUND_2_REPLY. */
static const struct message_row rows[] = {
    LAST(FAILURE, 4 * KIB, TS_FROM_BOTH),
    LAST(ACKNOWLEDGE, 0, TS_FROM_LINK),
    LAST(SESSION_OVER, 0, TS_FROM_LINK),
    FIRST(SESSION_HELLO, 4 * KIB, TS_FROM_P1, SESSION_HELLO_REPLY),
    LAST(SESSION_HELLO_REPLY, 4 * KIB, TS_FROM_P2),
    FIRST(PAIR_PROVE, 4 * KIB, TS_FROM_P1, PAIR_PROVE_REPLY),
    ROW(PAIR_PROVE_REPLY, 4 * KIB, TS_FROM_P2, PAIR_CODE),
    ROW(PAIR_INIT, 4 * KIB, TS_FROM_P1, PRE_PARAMS_P2),
    ROW(PRE_PARAMS_P2, MIB, TS_FROM_P2, PRE_PARAMS_P1),
    ROW(PRE_PARAMS_P1, MIB, TS_FROM_P1, PRE_PARAMS_CONFIRM),
    ROW(PRE_PARAMS_CONFIRM, 4 * KIB, TS_FROM_P2, PRE_PARAMS_COMMIT),
    ROW(PRE_PARAMS_COMMIT, 4 * KIB, TS_FROM_P1, PRE_PARAMS_DONE),
    ROW(PRE_PARAMS_DONE, 0, TS_FROM_P2, REFRESH_INIT),
    ROW(PAIR_CODE, 32, TS_FROM_P1, PAIR_CODE_REPLY),
    ROW(PAIR_CODE_REPLY, 0, TS_FROM_P2, PAIR_INIT),
    FIRST(KEYGEN_INIT, 4 * KIB, TS_FROM_P1, KEYGEN_INIT_REPLY),
    ROW(KEYGEN_INIT_REPLY, 4 * KIB, TS_FROM_P2, KEYGEN_P1_COMMIT),
    ROW(KEYGEN_P1_COMMIT, 4 * KIB, TS_FROM_P1, KEYGEN_P2),
    ROW(KEYGEN_P2, 4 * KIB, TS_FROM_P2, KEYGEN_P1_OPEN),
    ROW(KEYGEN_P1_OPEN, 64 * KIB, TS_FROM_P1, KEYGEN_CONFIRM),
    ROW(KEYGEN_CONFIRM, 4 * KIB, TS_FROM_P2, COMMIT),
    FIRST(COMMIT, 4 * KIB, TS_FROM_P1, COMMIT_DONE),
    LAST(COMMIT_DONE, 4 * KIB, TS_FROM_P2),
    FIRST(ABORT, 4 * KIB, TS_FROM_P1, ABORT_DONE),
    LAST(ABORT_DONE, 4 * KIB, TS_FROM_P2),
    FIRST(DESTROY, 4 * KIB, TS_FROM_P1, DESTROY_DONE),
    LAST(DESTROY_DONE, 4 * KIB, TS_FROM_P2),
    FIRST(SIGN_ROUND_1, MIB + KIB, TS_FROM_P1, SIGN_ROUND_1_REPLY),
    ROW(SIGN_ROUND_1_REPLY, MIB, TS_FROM_P2, SIGN_ROUND_2),
    ROW(SIGN_ROUND_2, MIB + 73 * KIB, TS_FROM_P1, SIGN_ROUND_2_REPLY),
    LAST(SIGN_ROUND_2_REPLY, MIB + 5 * KIB, TS_FROM_P2),
    FIRST(SIGN_REQUEST, 72 * KIB, TS_FROM_P1, SIGN_ROUND_3),
    LAST(SIGN_ROUND_3, 4 * KIB, TS_FROM_P2),
    FIRST(LOCK, 4 * KIB, TS_FROM_BOTH, LOCK_DONE),
    LAST(LOCK_DONE, 4 * KIB, TS_FROM_BOTH),
    ROW(REFRESH_INIT, 4 * KIB, TS_FROM_P1, REFRESH_INIT_REPLY),
    ROW(REFRESH_INIT_REPLY, 4 * KIB, TS_FROM_P2, REFRESH_P1_COMMIT),
    ROW(REFRESH_P1_COMMIT, 4 * KIB, TS_FROM_P1, REFRESH_P2),
    ROW(REFRESH_P2, 4 * KIB, TS_FROM_P2, REFRESH_P1_OPEN),
    ROW(REFRESH_P1_OPEN, 64 * KIB, TS_FROM_P1, REFRESH_CONFIRM),
    ROW(REFRESH_CONFIRM, 4 * KIB, TS_FROM_P2, COMMIT),
    FIRST(REFRESH_ASK, 4 * KIB, TS_FROM_P1, REFRESH_GRANTED),
    ROW(REFRESH_GRANTED, 4 * KIB, TS_FROM_P2, PAIR_INIT),
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

int
ts_message_next(int state)
{
    const struct message_row *row = find(state);
    return row ? row->next : TS_MESSAGE_NONE;
}

bool
ts_message_is_due(int state, int type)
{
    const struct message_row *row = find(type);

    if (!row)
        return false;
    return state == TS_MESSAGE_NONE ? row->first : ts_message_next(state) == type;
}
