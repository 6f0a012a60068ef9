#include "transport/link_internal.h"
#include "transport/tcp.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define FIRST_PAUSE_MS 200
#define LONGEST_PAUSE_MS 5000

static enum ts_error
on_message(void *ctx, const uint8_t *message, size_t len)
{
    struct ts_link *link = ctx;
    return ts_mux_in(link->mux, message, len, ts_now_ms(link->env));
}

static void
let_go(struct ts_link *link)
{
    ts_channel_abandon(link->channel);
    link->channel = NULL;
    link->sent_base = link->last_mark;
    link->listening = false;
}

/* The first try is at once, each further one later. */
static void
back_off(struct ts_link *link)
{
    uint32_t pause_ms = link->pause_ms ? 2 * link->pause_ms : FIRST_PAUSE_MS;

    link->redial_ms = ts_now_ms(link->env) + link->pause_ms;
    link->pause_ms = pause_ms < LONGEST_PAUSE_MS ? pause_ms : LONGEST_PAUSE_MS;
}

void
ts_link_lose(struct ts_link *link)
{
    const char *words = ts_channel_words(link->channel);

    if (link->resume_ms == 0 || !link->named || ts_channel_final(link->channel)) {
        ts_link_die(link, words);
        return;
    }
    ts_log(link->env, TS_LOG_INFO, "connection with %s lost: %s; its %u sessions wait for another for %u s", link->name,
        words, ts_mux_open_count(link->mux), link->resume_ms / 1000);
    let_go(link);
    link->lost_ms = ts_now_ms(link->env);
    if (ts_mux_fresh(link->mux) != link->fresh) /* else connections come about, and lead nowhere */
        link->pause_ms = 0;
    back_off(link);
    ts_link_wake_all(link);
}

void
ts_link_adopt(struct ts_link *link, struct ts_channel *channel)
{
    if (link->channel)
        let_go(link);
    if (link->channels++ > 0)
        ts_log(link->env, TS_LOG_INFO, "connection with %s resumed with %u sessions", link->name,
            ts_mux_open_count(link->mux));
    link->channel = channel;
    link->fresh = ts_mux_fresh(link->mux);
    ts_channel_start(channel, on_message, link);
    ts_mux_reconnect(link->mux, ts_now_ms(link->env));
    ts_link_pump(link);
    ts_link_wake_all(link); /* the leader polls the wrong descriptor */
}

static uint64_t
window_end(const struct ts_link *link)
{
    return link->lost_ms + link->resume_ms;
}

uint64_t
ts_link_resume_next(const struct ts_link *link)
{
    uint64_t end = window_end(link);
    return link->address && link->redial_ms < end ? link->redial_ms : end;
}

enum ts_error
ts_link_reach(struct ts_channel **out, const struct ts_link *link, uint64_t deadline_ms)
{
    const struct ts_tls_trust trust = {.pin = link->peer};
    const struct ts_stop stop = {link->wake, &link->stopped};
    struct ts_channel_options options = {.env = link->env,
        .identity = link->identity,
        .socket = -1,
        .trust = &trust,
        .name = link->name,
        .deadline_ms = deadline_ms,
        .stop = &stop,
        .host = link->address,
        .link = link->named ? link->id : NULL};

    enum ts_error error =
        ts_tcp_dial_stoppable(&options.socket, link->env, link->address, deadline_ms, &stop, link->lookups);
    return error == TS_OK ? ts_channel_open(out, &options) : error;
}

static void
settle(struct ts_link *link, struct ts_channel *channel, enum ts_error error)
{
    if (error == TS_OK && !ts_link_ended(link) && ts_channel_resumed(channel)) {
        ts_link_adopt(link, channel);
        return;
    }
    if (error == TS_OK) {
        ts_channel_abandon(channel);
        ts_link_die(link, "the other side was started anew, or gave the sessions up");
        return;
    }
    if (error == TS_NOT_FOUND) { /* whoever had the sessions in memory does not run any more */
        ts_link_die(link, "nobody listens there any more, so its sessions are gone");
        return;
    }
    back_off(link);
}

/* The caller leads, so that nobody else dials meanwhile. */
static void
redial(struct ts_link *link, uint64_t deadline_ms)
{
    uint64_t latest = ts_now_ms(link->env) + link->connect_ms;
    struct ts_channel *channel = NULL;

    if (deadline_ms < latest)
        latest = deadline_ms;
    if (window_end(link) < latest)
        latest = window_end(link);
    (void)pthread_mutex_unlock(&link->mutex);
    enum ts_error error = ts_link_reach(&channel, link, latest);
    (void)pthread_mutex_lock(&link->mutex);
    settle(link, channel, error);
}

void
ts_link_resume_step(struct ts_link *link, uint64_t deadline_ms)
{
    uint64_t now = ts_now_ms(link->env);

    if (now >= window_end(link))
        ts_link_die(link, "it did not come back in time");
    else if (link->address && now >= link->redial_ms)
        redial(link, deadline_ms);
}
