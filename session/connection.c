#include "session/enterprise_internal.h"
#include "session/identity_value.h"
#include "session/meet_enterprise.h"
#include "session/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESSES_BYTES sizeof((struct ts_peer_row *)0)->address
/* Below what a peer serves on one connection (32), with room for what the library itself has to tell it. */
#define BUSY_MAX 24

/* --- partners: what is loaded once after login --- */

static void
partner_free(struct ts_partner *partner)
{
    if (!partner)
        return;
    if (partner->identity)
        ts_identity_free(partner->identity);
    free(partner);
}

static enum ts_error
partner_load(struct ts_partner **out, struct ts_enterprise *enterprise, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_partner *partner = calloc(1, sizeof *partner);
    if (!partner)
        return TS_INTERNAL;
    enum ts_error error = ts_peer_get(&partner->row, enterprise->store, pairing);
    if (error == TS_OK)
        error = ts_identity_load(&partner->identity, enterprise->env, enterprise->store, partner->row.token, keyring);
    if (error != TS_OK)
        partner_free(partner);
    else
        *out = partner;
    return error;
}

/* Under the lock: the partner, loaded when this is its first use. Reads the store only. */
static enum ts_error
partner_get(struct ts_partner **out, struct ts_enterprise *enterprise, const struct ts_keyring *keyring,
    const uint8_t pairing[TS_ID_BYTES])
{
    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next) {
        if (memcmp(partner->row.pairing, pairing, TS_ID_BYTES) == 0) {
            *out = partner;
            return TS_OK;
        }
    }
    enum ts_error error = partner_load(out, enterprise, keyring, pairing);
    if (error == TS_OK) {
        (*out)->next = enterprise->partners;
        enterprise->partners = *out;
    }
    return error;
}

/* --- counting users; under the lock. What has to be closed is handed out, for closing talks to the network --- */

static struct ts_connection *
connection_put(struct ts_connection *connection)
{
    return --connection->users == 0 ? connection : NULL;
}

static struct ts_partner *
partner_put(struct ts_partner *partner)
{
    return --partner->users == 0 && partner->dropped ? partner : NULL;
}

static void
connection_free(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    if (!connection)
        return;
    ts_pool_clear(enterprise, connection);
    ts_link_close(connection->link);
    if (connection->meeting) {
        pthread_mutex_lock(&enterprise->lock);
        ts_meeting_put(connection->meeting);
        pthread_mutex_unlock(&enterprise->lock);
    }
    ts_wipe(connection, sizeof *connection);
    free(connection);
}

void
ts_connection_release(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    pthread_mutex_lock(&enterprise->lock);
    connection->partner->busy--;
    pthread_cond_broadcast(&enterprise->dialled);
    struct ts_partner *partner = partner_put(connection->partner);
    struct ts_connection *last = connection_put(connection);
    pthread_mutex_unlock(&enterprise->lock);
    connection_free(enterprise, last);
    partner_free(partner);
}

static bool
is_meant(const struct ts_partner *partner, uint64_t token, const uint8_t *pairing)
{
    return (token == 0 || partner->row.token == token) &&
           (!pairing || memcmp(partner->row.pairing, pairing, TS_ID_BYTES) == 0);
}

void
ts_partners_drop(struct ts_enterprise *enterprise, uint64_t token, const uint8_t *pairing)
{
    struct ts_partner *dropped = NULL;

    pthread_mutex_lock(&enterprise->lock);
    for (struct ts_partner **at = &enterprise->partners; *at;) {
        struct ts_partner *partner = *at;
        if (!is_meant(partner, token, pairing)) {
            at = &partner->next;
            continue;
        }
        *at = partner->next;
        ts_parameters_drop(&enterprise->parameters, partner->row.pairing);
        partner->dropped = true;
        if (pairing && partner->current) /* nothing that goes on there has a purpose any more */
            ts_link_shutdown(partner->current->link);
        partner->users++; /* ours, until it is closed below */
        partner->next = dropped;
        dropped = partner;
    }
    pthread_mutex_unlock(&enterprise->lock);
    while (dropped) {
        struct ts_partner *partner = dropped;
        dropped = partner->next;
        pthread_mutex_lock(&enterprise->lock);
        struct ts_connection *connection = partner->current ? connection_put(partner->current) : NULL;
        partner->current = NULL;
        struct ts_partner *last = partner_put(partner);
        pthread_mutex_unlock(&enterprise->lock);
        connection_free(enterprise, connection);
        partner_free(last);
    }
}

static void
violation(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    pthread_mutex_lock(&enterprise->lock);
    uint64_t count = ++connection->partner->violations;
    pthread_mutex_unlock(&enterprise->lock);
    ts_log(enterprise->env, TS_LOG_ERROR,
        "the connection with peer %s is closed after a violation of the protocol, number %llu since login",
        connection->partner->row.name, (unsigned long long)count);
    ts_link_shutdown(connection->link);
}

void
ts_connection_malformed(
    struct ts_enterprise *enterprise, struct ts_connection *connection, const struct ts_session *session)
{
    if (ts_session_told(session))
        ts_link_shutdown(connection->link);
    else if (!ts_session_broken(session))
        violation(enterprise, connection);
}

void
ts_connection_silent(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    ts_log(enterprise->env, TS_LOG_WARNING, "the connection with peer %s is given up: no answer for %u ms",
        connection->partner->row.name, enterprise->config->timeout.step);
    ts_link_shutdown(connection->link);
}

uint64_t
ts_connection_batch(struct ts_enterprise *enterprise, struct ts_connection *connection)
{
    pthread_mutex_lock(&enterprise->lock);
    uint64_t batch = connection->next_batch++;
    pthread_mutex_unlock(&enterprise->lock);
    return batch;
}

/* --- dialling --- */

enum ts_error
ts_enterprise_dial(struct ts_link **out, struct ts_enterprise *enterprise, const struct ts_identity *identity,
    const char *address, const uint8_t pin[TS_KEY_HASH_BYTES], const char *name)
{
    struct ts_link_options options = {
        .env = enterprise->env,
        .identity = identity,
        .connect_ms = enterprise->config->timeout.connect,
        .max_sessions = 1,
        .name = name,
        .resume_ms = enterprise->config->timeout.resume,
        .heartbeat_ms = enterprise->config->timeout.heartbeat,
        .lookups = atomic_load(&enterprise->threads_allowed) ? enterprise->lookups : NULL,
    };

    enum ts_error error = TS_IO;
    while (*address && error != TS_OK) {
        char one[ADDRESSES_BYTES];
        size_t len = strcspn(address, ",");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, address);
        error = ts_link_dial(out, &options, one, pin);
        address += len + (address[len] == ',' ? 1 : 0);
    }
    return error;
}

/* Exchange the nonces that bind every presignature of this connection to it. */
static enum ts_error
say_hello(struct ts_connection *connection, struct ts_enterprise *enterprise)
{
    struct ts_session *session = NULL;
    struct ts_session_hello hello;
    struct ts_message reply = {0};
    struct ts_buf payload;

    ts_buf_init(&payload, TS_SMALL_PAYLOAD_MAX_BYTES);
    enum ts_error error = ts_random(enterprise->env, connection->n1, sizeof connection->n1);
    memcpy(hello.nonce, connection->n1, sizeof hello.nonce);
    if (error == TS_OK)
        error = ts_session_open(&session, connection->link);
    if (error == TS_OK)
        error = ts_session_hello_encode(&payload, &hello);
    if (error == TS_OK)
        error = ts_talk(&reply, enterprise->env, session, TS_MESSAGE_SESSION_HELLO, &payload,
            TS_MESSAGE_SESSION_HELLO_REPLY, enterprise->config->timeout.connect);
    if (error == TS_OK)
        error = ts_session_hello_decode(&hello, reply.payload.data, reply.payload.len);
    memcpy(connection->n2, hello.nonce, sizeof connection->n2);
    if (error != TS_OK)
        ts_log(enterprise->env, TS_LOG_ERROR, "peer %s: hello failed: %s %s", connection->partner->row.name,
            ts_error_text(error), session ? ts_session_reason(session) : "");
    ts_message_clear(&reply);
    ts_buf_clear(&payload);
    ts_session_close(session);
    return error;
}

/* What is due on every new connection, whoever dialled. */
static enum ts_error
greet(struct ts_connection *connection, struct ts_enterprise *enterprise)
{
    const struct ts_peer_row *row = &connection->partner->row;
    enum ts_error error = say_hello(connection, enterprise);

    if (error != TS_OK)
        return error;
    ts_commits_repeat(enterprise, connection->link, row);
    ts_farewells_tell(enterprise, connection->link, row);
    (void)ts_peer_set_seen(enterprise->store, row->pairing, (int64_t)time(NULL));
    return TS_OK;
}

static enum ts_error
dial(struct ts_connection **out, struct ts_enterprise *enterprise, struct ts_partner *partner)
{
    struct ts_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return TS_INTERNAL;
    connection->partner = partner;
    connection->users = 1;
    enum ts_error error = ts_enterprise_dial(&connection->link, enterprise, partner->identity, partner->row.address,
        partner->row.key_hash, partner->row.name);
    if (error != TS_OK) {
        free(connection);
        return error;
    }
    error = greet(connection, enterprise);
    if (error != TS_OK) {
        connection_free(enterprise, connection);
        /* Connected, but not a peer that answers: for the caller it is as unreachable as before. */
        return error == TS_TIMEOUT ? TS_IO : error;
    }
    *out = connection;
    return TS_OK;
}

/* Under the lock: the loaded partner that proved this key. */
static struct ts_partner *
partner_by_key(struct ts_enterprise *enterprise, uint64_t token, const uint8_t key_hash[TS_KEY_HASH_BYTES])
{
    for (struct ts_partner *partner = enterprise->partners; partner; partner = partner->next)
        if (partner->row.token == token && memcmp(partner->row.key_hash, key_hash, TS_KEY_HASH_BYTES) == 0)
            return partner;
    return NULL;
}

/* Under the lock: make it the connection that is used from now on, unless nobody wants it any more. A device that has
   dialled in anew has given up what it had before, so nobody waits there for its return.
   Returns: what has to be closed. */
static struct ts_connection *
install(struct ts_enterprise *enterprise, struct ts_connection *fresh)
{
    struct ts_partner *partner = fresh->partner;

    if (enterprise->stopping || partner->dropped)
        return fresh;
    struct ts_connection *before = partner->current;
    partner->current = fresh;
    pthread_cond_broadcast(&enterprise->dialled);
    if (before && before->meeting && fresh->meeting)
        ts_link_shutdown(before->link);
    return before ? connection_put(before) : NULL;
}

enum ts_error
ts_connection_adopt(struct ts_enterprise *enterprise, struct ts_meeting *meeting, struct ts_link *link)
{
    uint8_t key_hash[TS_KEY_HASH_BYTES];
    struct ts_connection *connection = calloc(1, sizeof *connection);

    ts_link_peer(link, key_hash);
    pthread_mutex_lock(&enterprise->lock);
    struct ts_partner *partner = connection ? partner_by_key(enterprise, meeting->token, key_hash) : NULL;
    if (partner) {
        partner->users++; /* ours, until it is the partner's own or closed */
        *connection =
            (struct ts_connection){.partner = partner, .meeting = ts_meeting_hold(meeting), .link = link, .users = 1};
    }
    pthread_mutex_unlock(&enterprise->lock);
    if (!partner) {
        free(connection);
        ts_link_close(link);
        return TS_NOT_FOUND;
    }
    enum ts_error error = greet(connection, enterprise);
    pthread_mutex_lock(&enterprise->lock);
    struct ts_connection *unused = error == TS_OK ? install(enterprise, connection) : connection;
    error = unused == connection && error == TS_OK ? TS_IO : error;
    struct ts_partner *last = partner_put(partner);
    pthread_mutex_unlock(&enterprise->lock);
    connection_free(enterprise, unused);
    partner_free(last);
    return error;
}

/* Under the lock: wait until the thread that dials is done. */
static void
wait_for_dial(struct ts_enterprise *enterprise, const struct ts_partner *partner)
{
    while (partner->dialling && !enterprise->stopping)
        pthread_cond_wait(&enterprise->dialled, &enterprise->lock); /* a dial has a deadline of its own */
}

/* Under the lock: wait for one's turn, at most as long as the conversations before may take. */
static enum ts_error
take_turn(struct ts_enterprise *enterprise, struct ts_partner *partner)
{
    uint64_t wait_ms = (uint64_t)enterprise->config->timeout.approval + enterprise->config->timeout.step;
    struct timespec until = {0};
    int result = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000 + 1);
    while (result == 0 && partner->busy >= BUSY_MAX && !enterprise->stopping && !partner->dropped)
        result = pthread_cond_timedwait(&enterprise->dialled, &enterprise->lock, &until);
    partner->busy++;
    return result == 0 ? TS_OK : TS_TIMEOUT;
}

/* Under the lock, which is given up while dialling. */
static enum ts_error
connect_partner(struct ts_enterprise *enterprise, struct ts_partner *partner)
{
    struct ts_connection *fresh = NULL;

    partner->dialling = true;
    pthread_mutex_unlock(&enterprise->lock);
    enum ts_error error = dial(&fresh, enterprise, partner);
    pthread_mutex_lock(&enterprise->lock);
    partner->dialling = false;
    pthread_cond_broadcast(&enterprise->dialled);
    if (error == TS_OK && (enterprise->stopping || partner->dropped)) {
        pthread_mutex_unlock(&enterprise->lock);
        connection_free(enterprise, fresh);
        pthread_mutex_lock(&enterprise->lock);
        return TS_IO;
    }
    if (error != TS_OK && partner->current && ts_link_alive(partner->current->link))
        return TS_OK; /* it dialled in meanwhile */
    if (error != TS_OK)
        return error;
    struct ts_connection *before = install(enterprise, fresh);
    if (before) {
        pthread_mutex_unlock(&enterprise->lock);
        connection_free(enterprise, before);
        pthread_mutex_lock(&enterprise->lock);
    }
    return TS_OK;
}

/* Under the lock, which is given up when the connection was lost: it comes back, or is forgotten because the peer does
 * not know it any more. Handed out when nobody else uses it.
 * Returns: TS_IO when it is lost and may come back later. */
static enum ts_error
restore(struct ts_connection **dead, struct ts_enterprise *enterprise, struct ts_partner *partner)
{
    struct ts_connection *connection = partner->current;

    if (!connection || ts_link_connected(connection->link))
        return TS_OK;
    connection->users++;
    partner->dialling = true;
    pthread_mutex_unlock(&enterprise->lock);
    enum ts_error error = ts_link_resume(connection->link, enterprise->config->timeout.connect);
    pthread_mutex_lock(&enterprise->lock);
    partner->dialling = false;
    pthread_cond_broadcast(&enterprise->dialled);
    if (error == TS_IO && partner->current == connection) {
        partner->current = NULL;
        connection->users--;
    }
    *dead = connection_put(connection);
    return error == TS_TIMEOUT ? TS_IO : TS_OK;
}

enum ts_error
ts_connection_acquire(struct ts_connection **out, bool *fresh, struct ts_enterprise *enterprise,
    const struct ts_keyring *keyring, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_partner *partner = NULL, *last = NULL;
    struct ts_connection *dead = NULL;

    *fresh = false;
    pthread_mutex_lock(&enterprise->lock);
    enum ts_error error = enterprise->stopping ? TS_IO : partner_get(&partner, enterprise, keyring, pairing);
    if (error == TS_OK) {
        partner->users++;
        error = take_turn(enterprise, partner);
        wait_for_dial(enterprise, partner);
        if (error == TS_OK)
            error = restore(&dead, enterprise, partner);
        if (enterprise->stopping || partner->dropped)
            error = TS_IO;
        else if (error == TS_OK && !partner->current)
            *fresh = (error = connect_partner(enterprise, partner)) == TS_OK;
        if (error == TS_OK) {
            partner->current->users++;
            *out = partner->current;
        } else {
            partner->busy--;
            pthread_cond_broadcast(&enterprise->dialled);
            last = partner_put(partner);
        }
    }
    pthread_mutex_unlock(&enterprise->lock);
    connection_free(enterprise, dead);
    partner_free(last);
    return error;
}

bool
ts_partner_present(struct ts_enterprise *enterprise, const uint8_t pairing[TS_ID_BYTES])
{
    bool present = false;

    pthread_mutex_lock(&enterprise->lock);
    for (struct ts_partner *partner = enterprise->partners; partner && !present; partner = partner->next)
        present = memcmp(partner->row.pairing, pairing, TS_ID_BYTES) == 0 && partner->current &&
                  ts_link_alive(partner->current->link);
    pthread_mutex_unlock(&enterprise->lock);
    return present;
}

enum ts_error
ts_partners_load(struct ts_enterprise *enterprise, const struct ts_keyring *keyring, uint64_t token)
{
    struct ts_peer_row *rows = NULL;
    struct ts_partner *partner;
    size_t count = 0;
    enum ts_error error = ts_peer_list(&rows, &count, enterprise->store, token);

    for (size_t i = 0; error == TS_OK && i < count; i++)
        if (rows[i].state == TS_PEER_ACTIVE)
            error = partner_get(&partner, enterprise, keyring, rows[i].pairing);
    free(rows);
    return error;
}

struct ts_connection *
ts_connection_current(struct ts_enterprise *enterprise, const uint8_t pairing[TS_ID_BYTES])
{
    struct ts_connection *connection = NULL;

    pthread_mutex_lock(&enterprise->lock);
    for (struct ts_partner *partner = enterprise->partners; partner && !connection; partner = partner->next) {
        if (memcmp(partner->row.pairing, pairing, TS_ID_BYTES) != 0 || !partner->current ||
            !ts_link_alive(partner->current->link))
            continue;
        connection = partner->current;
        connection->users++;
        partner->users++;
        partner->busy++;
    }
    pthread_mutex_unlock(&enterprise->lock);
    return connection;
}
