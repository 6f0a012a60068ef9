#include "session/mobile_internal.h"

#include "session/talk.h"

#include <stdio.h>

/* Who answers each message that may start a session (ts_message_is_due), whether the caller must be paired and have said hello, and as what
   it is recorded (0: not at all). */
struct route {
    int type;
    enum ts_error (*handle)(struct ts_conversation *conversation, const struct ts_message *first);
    bool paired, greeted;
    enum ts_journal_kind kind;
};

static const struct route routes[] = {
    {TS_MESSAGE_SESSION_HELLO, ts_hello_mobile, true, false, 0},
    {TS_MESSAGE_PAIR_PROVE, ts_pair_mobile, false, false, TS_JOURNAL_PAIRING},
    {TS_MESSAGE_KEYGEN_INIT, ts_keygen_mobile, true, true, TS_JOURNAL_KEYGEN},
    {TS_MESSAGE_SIGN_ROUND_1, ts_sign_mobile, true, true, TS_JOURNAL_SIGN},
    {TS_MESSAGE_SIGN_REQUEST, ts_request_mobile, true, true, TS_JOURNAL_SIGN},
    {TS_MESSAGE_REFRESH_ASK, ts_refresh_mobile, true, true, TS_JOURNAL_REFRESH},
    {TS_MESSAGE_COMMIT, ts_commit_mobile, true, true, 0},
    {TS_MESSAGE_ABORT, ts_abort_mobile, true, true, 0},
    {TS_MESSAGE_DESTROY, ts_farewell_mobile, true, true, 0},
    {TS_MESSAGE_LOCK, ts_lock_mobile, true, true, 0},
};

static const struct route *
find_route(int type)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].type == type)
            return &routes[i];
    return NULL;
}

static bool
has_greeted(struct ts_mobile_connection *connection)
{
    pthread_mutex_lock(&connection->mobile->lock);
    bool greeted = connection->greeted;
    pthread_mutex_unlock(&connection->mobile->lock);
    return greeted;
}

/* Named as the session on the wire is, so that both sides' records can be laid side by side. */
static void
begin_entry(struct ts_conversation *conversation, const struct route *route)
{
    uint8_t id[TS_SESSION_ID_BYTES];
    const struct ts_journal_start start = {
        .kind = route->kind, .id = id, .partner = conversation->connection->peer.name};

    if (!route->kind)
        return;
    ts_session_id(conversation->session, id);
    (void)ts_journal_begin(&conversation->entry, conversation->mobile->journal, &start);
    ts_journal_attach(conversation->entry, conversation->session);
    ts_journal_step(conversation->entry, ts_message_name(route->type));
}

/* A caller that has hung up has cancelled. */
static void
end_entry(struct ts_conversation *conversation, enum ts_error error)
{
    const char *said = ts_session_reason(conversation->session);
    const char *words = conversation->reason ? conversation->reason : said;

    if (error == TS_IO)
        ts_journal_cancel(conversation->entry, *words ? words : "the other side has gone");
    else
        ts_journal_end(conversation->entry, error, words);
    ts_session_set_context(conversation->session, NULL);
}

/* A partner may have been unpaired while it was connected, by another process of this device. */
static bool
still_paired(const struct ts_mobile_connection *connection)
{
    struct ts_peer_row row;

    return connection->paired &&
           ts_peer_get(&row, connection->mobile->options.store, connection->peer.pairing) == TS_OK;
}

static enum ts_error
dispatch(struct ts_conversation *conversation, const struct ts_message *first)
{
    const struct route *route = find_route(first->type);

    if (!route)
        return TS_INTERNAL;
    if (route->paired && !still_paired(conversation->connection))
        conversation->reason = "not paired";
    else if (route->greeted && !has_greeted(conversation->connection))
        conversation->reason = "hello first";
    else {
        begin_entry(conversation, route);
        return route->handle(conversation, first);
    }
    return route->paired && !still_paired(conversation->connection) ? TS_REFUSED : TS_FORMAT;
}

/* What does not parse, or has a wrong length or range, ends the whole connection and is counted (protocol.md 7); what is
   not due has ended its session alone (ts_session_next). */
static void
close_after_violation(struct ts_conversation *conversation)
{
    struct ts_mobile *mobile = conversation->mobile;

    pthread_mutex_lock(&mobile->lock);
    uint64_t count = ++mobile->violations;
    pthread_mutex_unlock(&mobile->lock);
    ts_log(mobile->env, TS_LOG_ERROR,
        "the connection with partner %s is closed after a violation of the protocol, number %llu since the start",
        conversation->connection->peer.name, (unsigned long long)count);
    ts_link_shutdown(conversation->connection->link);
}

void
ts_conversation_serve(struct ts_conversation *conversation)
{
    const struct ts_env *env = conversation->mobile->env;
    struct ts_message first = {0};
    enum ts_error error =
        ts_session_next(conversation->session, &first, conversation->mobile->options.config->timeout.step);

    if (error == TS_OK) {
        ts_step(env, ts_message_name(first.type));
        error = dispatch(conversation, &first);
    }
    if (error != TS_OK) {
        const char *said = ts_session_reason(conversation->session);
        ts_log(env, error == TS_REFUSED || error == TS_INCAPABLE || error == TS_TIMEOUT ? TS_LOG_INFO : TS_LOG_WARNING,
            "partner %s, %s: %s%s%s%s%s", conversation->connection->peer.name, ts_message_name(first.type),
            ts_error_text(error), conversation->reason ? ": " : "", conversation->reason ? conversation->reason : "",
            *said ? "; it said: " : "", said);
        if (!ts_session_broken(conversation->session))
            (void)ts_session_fail(conversation->session, error, conversation->reason);
        if (error == TS_FORMAT && !ts_session_told(conversation->session) && !ts_session_broken(conversation->session))
            close_after_violation(conversation);
    }
    end_entry(conversation, error);
    ts_message_clear(&first);
}
