#ifndef TS_TESTS_LINK_PAIR_H
#define TS_TESTS_LINK_PAIR_H

#include "transport/link.h"
#include "transport/message.h"
#include "transport/tcp.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/** Two devices on 127.0.0.1, each with its own environment, identity and log. */

#define WAIT_MS 20000 /* far above what anything needs; only a fault waits so long */

struct device {
    struct ts_env env;
    struct ts_identity *identity;
    uint8_t hash[TS_KEY_HASH_BYTES];
    struct ts_link_options options;
    pthread_mutex_t mutex; /* of the log */
    char log[16384];
};

static inline void
device_write(void *ctx, enum ts_log_level level, const char *line)
{
    struct device *device = ctx;

    (void)level;
    (void)pthread_mutex_lock(&device->mutex);
    size_t used = strlen(device->log);
    (void)snprintf(device->log + used, sizeof device->log - used, "%s\n", line);
    (void)pthread_mutex_unlock(&device->mutex);
}

static inline bool
device_logged(struct device *device, const char *words)
{
    (void)pthread_mutex_lock(&device->mutex);
    bool found = strstr(device->log, words) != NULL;
    if (!found)
        fprintf(stderr, "# not in the log: %s\n# %s", words, device->log);
    (void)pthread_mutex_unlock(&device->mutex);
    return found;
}

static inline void
device_init(struct device *device, const char *name)
{
    memset(device, 0, sizeof *device);
    (void)pthread_mutex_init(&device->mutex, NULL);
    ck_assert_int_eq(ts_env_init(&device->env), TS_OK);
    device->env.log = (struct ts_log){device, TS_LOG_DEBUG, device_write};
    ck_assert_int_eq(ts_identity_new(&device->identity, &device->env, name), TS_OK);
    ts_identity_key_hash(device->identity, device->hash);
    device->options = (struct ts_link_options){
        .env = &device->env, .identity = device->identity, .connect_ms = WAIT_MS, .max_sessions = 16};
}

static inline void
device_clear(struct device *device)
{
    ts_identity_free(device->identity);
    ts_env_clear(&device->env);
    (void)pthread_mutex_destroy(&device->mutex);
}

struct pair {
    struct device dialler, listener; /* the enterprise and the phone */
    struct ts_tcp_listener *tcp;
    char address[64];
    bool admit_nobody;
    bool admit_asked;
    struct ts_link *dialled, *accepted;
    enum ts_error accept_error;
    pthread_t thread;
};

static inline void
pair_init(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    device_init(&pair->dialler, "enterprise");
    device_init(&pair->listener, "phone");
    ck_assert_int_eq(ts_tcp_listen(&pair->tcp, &pair->listener.env, "127.0.0.1:0"), TS_OK);
    (void)snprintf(pair->address, sizeof pair->address, "127.0.0.1:%u", (unsigned)ts_tcp_listener_port(pair->tcp));
}

static inline bool
pair_admit(void *ctx, const uint8_t hash[TS_KEY_HASH_BYTES])
{
    struct pair *pair = ctx;

    pair->admit_asked = true;
    return !pair->admit_nobody && memcmp(hash, pair->dialler.hash, TS_KEY_HASH_BYTES) == 0;
}

static inline void *
pair_accept_thread(void *arg)
{
    struct pair *pair = arg;
    int fd = -1;

    pair->accept_error = ts_tcp_accept(&fd, NULL, 0, pair->tcp, WAIT_MS);
    if (pair->accept_error == TS_OK)
        pair->accept_error = ts_link_accept(&pair->accepted, &pair->listener.options, fd, pair_admit, pair);
    return NULL;
}

/** Take one caller on a thread; pair_accepted waits for it. */
static inline void
pair_accept(struct pair *pair)
{
    ck_assert_int_eq(pthread_create(&pair->thread, NULL, pair_accept_thread, pair), 0);
}

static inline enum ts_error
pair_accepted(struct pair *pair)
{
    (void)pthread_join(pair->thread, NULL);
    return pair->accept_error;
}

static inline void
pair_connect(struct pair *pair)
{
    pair_init(pair);
    pair_accept(pair);
    ck_assert_int_eq(ts_link_dial(&pair->dialled, &pair->dialler.options, pair->address, pair->listener.hash), TS_OK);
    ck_assert_int_eq(pair_accepted(pair), TS_OK);
}

static inline void
pair_clear(struct pair *pair)
{
    /* The side that closes waits for the other to have read it, so both do. */
    ts_link_close(pair->dialled);
    ts_link_close(pair->accepted);
    ts_tcp_listener_close(pair->tcp);
    device_clear(&pair->dialler);
    device_clear(&pair->listener);
}

static inline void
send_text(struct ts_session *session, int type, const char *text)
{
    ck_assert_int_eq(ts_session_send(session, type, (const uint8_t *)text, strlen(text), WAIT_MS), TS_OK);
}

static inline void
expect_text(struct ts_session *session, int type, const char *text)
{
    struct ts_message message;

    ck_assert_int_eq(ts_session_expect(session, type, &message, WAIT_MS), TS_OK);
    ck_assert_uint_eq(message.payload.len, strlen(text));
    ck_assert_mem_eq(message.payload.data, text, strlen(text));
    ts_message_clear(&message);
}

#endif
