#include "session/mobile_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_PER_CONNECTION 32
#define IDLE_MS 900000u

/* An enterprise that is paired may come in; anybody else only while an invitation is open, and only to pair. */
static bool
admit(void *ctx, const uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    struct ts_mobile *mobile = ctx;
    struct ts_peer_row row;

    if (ts_peer_find(&row, mobile->options.store, mobile->options.token, key_hash) == TS_OK ||
        ts_invitation_open(mobile))
        return true;
    ts_log(mobile->env, TS_LOG_WARNING,
        "a caller with an unknown certificate was refused; to pair it make an invitation with `tallystick-peer uri`");
    return false;
}

static void *
session_thread(void *argument)
{
    struct ts_conversation *conversation = argument;
    struct ts_mobile_connection *connection = conversation->connection;
    struct ts_mobile *mobile = conversation->mobile;

    ts_conversation_serve(conversation);
    ts_session_close(conversation->session);
    ts_ahead_fill(connection, conversation->next.key, conversation->next.generation, conversation->next.count);
    free(conversation);
    pthread_mutex_lock(&mobile->lock);
    connection->sessions--;
    pthread_cond_broadcast(&mobile->ended);
    pthread_mutex_unlock(&mobile->lock);
    return NULL;
}

static bool
room_for_session(struct ts_mobile_connection *connection)
{
    pthread_mutex_lock(&connection->mobile->lock);
    bool room = connection->sessions < SESSIONS_PER_CONNECTION;
    if (room)
        connection->sessions++;
    pthread_mutex_unlock(&connection->mobile->lock);
    return room;
}

/* Signals belong to the program's main thread. */
static int
start_thread(struct ts_conversation *conversation)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, session_thread, conversation);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed;
}

static void
start_session(struct ts_mobile_connection *connection, struct ts_session *session)
{
    struct ts_mobile *mobile = connection->mobile;

    if (!room_for_session(connection)) {
        ts_log(mobile->env, TS_LOG_WARNING, "partner %s holds too many sessions at once: one refused",
            connection->peer.name);
        (void)ts_session_fail(session, TS_USAGE, "too many sessions at once");
        ts_session_close(session);
        return;
    }
    struct ts_conversation *conversation = calloc(1, sizeof *conversation);
    if (conversation)
        *conversation = (struct ts_conversation){.mobile = mobile, .connection = connection, .session = session};
    if (conversation && start_thread(conversation) == 0)
        return;
    free(conversation);
    (void)ts_session_fail(session, TS_INTERNAL, "no room for another session");
    ts_session_close(session);
    pthread_mutex_lock(&mobile->lock);
    connection->sessions--;
    pthread_mutex_unlock(&mobile->lock);
}

void
ts_mobile_end_unpaired(struct ts_mobile *mobile)
{
    struct ts_peer_row row;

    pthread_mutex_lock(&mobile->lock);
    for (struct ts_mobile_connection *connection = mobile->connections; connection; connection = connection->next) {
        if (!connection->paired || connection->unpaired ||
            ts_peer_get(&row, mobile->options.store, connection->peer.pairing) != TS_NOT_FOUND)
            continue;
        connection->unpaired = true;
        ts_log(mobile->env, TS_LOG_WARNING, "partner %s is unpaired: its connection is closed", connection->peer.name);
        ts_link_shutdown(connection->link);
    }
    pthread_mutex_unlock(&mobile->lock);
}

/* False when the mobile is stopping. */
static bool
enlist(struct ts_mobile_connection *connection)
{
    struct ts_mobile *mobile = connection->mobile;

    pthread_mutex_lock(&mobile->lock);
    bool going = !mobile->stopping;
    if (going) {
        connection->next = mobile->connections;
        mobile->connections = connection;
    }
    pthread_mutex_unlock(&mobile->lock);
    return going;
}

static void
delist(struct ts_mobile_connection *connection)
{
    struct ts_mobile *mobile = connection->mobile;

    pthread_mutex_lock(&mobile->lock);
    for (struct ts_mobile_connection **at = &mobile->connections; *at; at = &(*at)->next) {
        if (*at == connection) {
            *at = connection->next;
            break;
        }
    }
    while (connection->sessions > 0) /* the link is dead: each ends at its next wait */
        pthread_cond_wait(&mobile->ended, &mobile->lock);
    pthread_mutex_unlock(&mobile->lock);
}

static void
serve_link(struct ts_mobile_connection *connection)
{
    struct ts_mobile *mobile = connection->mobile;
    struct ts_session *session;

    ts_link_peer(connection->link, connection->key_hash);
    connection->paired =
        ts_peer_find(&connection->peer, mobile->options.store, mobile->options.token, connection->key_hash) == TS_OK;
    if (connection->paired)
        (void)ts_peer_set_seen(mobile->options.store, connection->peer.pairing, (int64_t)time(NULL));
    else
        (void)snprintf(connection->peer.name, sizeof connection->peer.name, "(not paired)");
    if (!enlist(connection))
        return;
    while (ts_session_accept(&session, connection->link, UINT32_MAX) == TS_OK)
        start_session(connection, session);
    ts_link_shutdown(connection->link);
    delist(connection);
    ts_waiting_clear(connection);
    ts_ahead_clear(connection);
}

/* An enterprise that computes, or asks its own person, answers nothing meanwhile, and is not dead. */
static uint32_t
heartbeat_ms(const struct ts_config *config)
{
    uint32_t patient_ms = config->timeout.approval / 2;
    return config->timeout.heartbeat > patient_ms ? config->timeout.heartbeat : patient_ms;
}

static struct ts_link_options
link_options(const struct ts_mobile *mobile, const char *name)
{
    return (struct ts_link_options){
        .env = mobile->env,
        .identity = mobile->identity,
        .connect_ms = mobile->options.config->timeout.connect,
        .idle_ms = IDLE_MS,
        .max_sessions = SESSIONS_PER_CONNECTION,
        .resume_ms = mobile->options.config->timeout.resume,
        .heartbeat_ms = heartbeat_ms(mobile->options.config),
        .links = mobile->links,
        .lookups = mobile->lookups,
        .name = name,
    };
}

void
ts_mobile_serve(struct ts_mobile *mobile, int socket)
{
    const struct ts_link_options options = link_options(mobile, NULL);
    struct ts_mobile_connection *connection = calloc(1, sizeof *connection);

    if (!connection) {
        (void)close(socket);
        return;
    }
    connection->mobile = mobile;
    /* Not for a caller who goes on with a link: another thread serves that. */
    if (ts_link_accept(&connection->link, &options, socket, admit, mobile) == TS_OK) {
        serve_link(connection);
        ts_link_close(connection->link);
    }
    free(connection);
}

bool
ts_mobile_serve_dialled(struct ts_mobile *mobile, const char *address, const struct ts_peer_row *partner)
{
    const struct ts_link_options options = link_options(mobile, partner->name);
    struct ts_mobile_connection *connection = calloc(1, sizeof *connection);
    bool connected = false;

    if (!connection)
        return false;
    connection->mobile = mobile;
    connected = ts_link_dial(&connection->link, &options, address, partner->key_hash) == TS_OK;
    if (connected) {
        ts_log(mobile->env, TS_LOG_INFO, "dialled in to partner %s at %s", partner->name, address);
        serve_link(connection);
        ts_link_close(connection->link);
    }
    free(connection);
    return connected;
}
