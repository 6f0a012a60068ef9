#ifndef TS_SESSION_CANCEL_H
#define TS_SESSION_CANCEL_H

#include <pthread.h>
#include <stdbool.h>

struct ts_session;

/** How another thread ends a conversation that runs: whoever asks for a key or signature owns one and names it in the
 *  job; the conversation attaches the session that it is in. */
struct ts_cancel {
    pthread_mutex_t lock;
    bool asked;
    struct ts_session *session; /**< NULL while there is none */
};

void ts_cancel_init(struct ts_cancel *cancel);
/** No other thread may use it any more. */
void ts_cancel_clear(struct ts_cancel *cancel);

/** End it: its wait fails with TS_TIMEOUT, and so does every later one. Any thread. */
void ts_cancel_ask(struct ts_cancel *cancel);
/** Was it asked? false for NULL. */
bool ts_cancel_asked(struct ts_cancel *cancel);

/** The conversation is in this session now; NULL before the session is closed. cancel may be NULL. */
void ts_cancel_attach(struct ts_cancel *cancel, struct ts_session *session);

#endif
