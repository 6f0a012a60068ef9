#include "tests/simulated_net.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

uint64_t
net_draw(struct net *net)
{
    net->random ^= net->random << 13;
    net->random ^= net->random >> 7;
    net->random ^= net->random << 17;
    return net->random;
}

uint64_t
net_between(struct net *net, uint64_t most)
{
    return 1 + net_draw(net) % most;
}

static void
make_side(struct net *net, int side)
{
    const struct ts_mux_options options = {.env = net->env,
        .name = side ? "answerer" : "caller",
        .seed = net_draw(net),
        .max_sessions = NET_SESSIONS,
        .linger_ms = 60000,
        .first_ms = 500,
        .most_ms = 8000,
        .acknowledge_ms = 50};

    ts_mux_free(net->sides[side]);
    ck_assert_int_eq(ts_mux_new(&net->sides[side], &options), TS_OK);
}

static uint64_t
about(struct net *net, uint64_t pause)
{
    return pause ? net->now + pause / 2 + net_between(net, pause) : TS_NEVER;
}

void
net_init(struct net *net, struct ts_env *env, const struct net_faults *faults, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    net->env = env;
    net->faults = *faults;
    net->random = seed * 0x9e3779b97f4a7c15u | 1;
    net->connected = true;
    for (int side = 0; side < 2; side++)
        make_side(net, side);
    net->cut_at = about(net, faults->cut_ms);
    net->restart_at = about(net, faults->restart_ms);
    net->repair_at = TS_NEVER;
}

static void
drop_packets(struct net *net)
{
    while (net->packet_count > 0)
        free(net->packets[--net->packet_count].bytes);
}

void
net_clear(struct net *net)
{
    drop_packets(net);
    ts_mux_free(net->sides[0]);
    ts_mux_free(net->sides[1]);
}

static void
put_packet(struct net *net, int to, const struct ts_buf *bytes)
{
    if (net_draw(net) % 1000 < net->faults.lost)
        return;
    ck_assert_uint_lt(net->packet_count, NET_PACKETS);
    struct net_packet *packet = &net->packets[net->packet_count++];
    *packet = (struct net_packet){.at = net->now + net_between(net, net->faults.delay_ms), .to = to, .len = bytes->len};
    packet->bytes = malloc(bytes->len);
    ck_assert_ptr_nonnull(packet->bytes);
    memcpy(packet->bytes, bytes->data, bytes->len);
}

static void
send_all(struct net *net, int side)
{
    struct ts_lane *lane = NULL;
    struct ts_buf bytes;

    ts_buf_init(&bytes, TS_ENVELOPE_MAX_BYTES);
    while (ts_mux_out(&bytes, &lane, net->sides[side], net->now) == TS_OK) {
        put_packet(net, !side, &bytes);
        if (net_draw(net) % 1000 < net->faults.doubled)
            put_packet(net, !side, &bytes);
        bytes.len = 0;
    }
    ts_buf_clear(&bytes);
}

static void
deliver_due(struct net *net)
{
    for (unsigned i = 0; i < net->packet_count;) {
        struct net_packet packet = net->packets[i];
        if (packet.at > net->now) {
            i++;
            continue;
        }
        net->packets[i] = net->packets[--net->packet_count];
        if (ts_mux_in(net->sides[packet.to], packet.bytes, packet.len, net->now) != TS_OK)
            net->violations++;
        free(packet.bytes);
    }
}

/* What is under way is lost; both sides notice. */
static void
cut(struct net *net)
{
    net->cuts++;
    net->connected = false;
    drop_packets(net);
    net->cut_at = TS_NEVER;
    net->repair_at = net->now + net_between(net, net->faults.repair_ms);
}

static void
repair(struct net *net)
{
    net->connected = true;
    net->repair_at = TS_NEVER;
    net->cut_at = about(net, net->faults.cut_ms);
    ts_mux_reconnect(net->sides[0], net->now);
    ts_mux_reconnect(net->sides[1], net->now);
}

/* One side knows nothing any more; the other is told so when it comes back, and begins anew too. */
static void
restart(struct net *net)
{
    net->restarts++;
    drop_packets(net);
    net->restarted(net->ctx);
    make_side(net, 0);
    make_side(net, 1);
    net->restart_at = about(net, net->faults.restart_ms);
}

static uint64_t
next_moment(const struct net *net, uint64_t until)
{
    const uint64_t moments[] = {net->cut_at, net->repair_at, net->restart_at, ts_mux_next(net->sides[0], net->now),
        ts_mux_next(net->sides[1], net->now)};
    uint64_t next = until;

    for (unsigned i = 0; i < (net->connected ? 5 : 3); i++)
        next = moments[i] < next ? moments[i] : next;
    for (unsigned i = 0; i < net->packet_count; i++)
        next = net->packets[i].at < next ? net->packets[i].at : next;
    return next > net->now ? next : net->now;
}

void
net_step(struct net *net, uint64_t until)
{
    if (net->connected) {
        send_all(net, 0);
        send_all(net, 1);
    }
    net->now = next_moment(net, until);
    deliver_due(net);
    if (net->now >= net->cut_at)
        cut(net);
    if (net->now >= net->repair_at)
        repair(net);
    if (net->now >= net->restart_at)
        restart(net);
}
