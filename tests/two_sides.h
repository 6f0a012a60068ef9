#ifndef TS_TESTS_TWO_SIDES_H
#define TS_TESTS_TWO_SIDES_H

#include "session/enterprise.h"
#include "session/mobile.h"

#include <pthread.h>
#include <stdatomic.h>

/* Both sides in one process, each with its own environment, store and threads, joined by real TCP and TLS on loopback.
   The stores are sealed by PINs alone: the HSM has tests of its own. */

struct side {
    struct ts_env env;
    struct ts_config config;
    char path[512];
    uint64_t token;
    struct ts_keyring *keyring;
};

struct two_sides {
    char folder[256];
    struct side p1, p2;
    struct ts_enterprise *enterprise;
    struct ts_store *peer_store;
    struct ts_mobile *mobile;
    struct ts_tcp_listener *listener;
    pthread_t acceptor;
    pthread_t servers[64];
    size_t server_count;
    pthread_t dialler;
    bool dialling;
    char address[64];
    /* What the peer's policy answers, and what it was shown last. */
    _Atomic enum ts_error verdict; /* TS_OK, TS_REFUSED, TS_TIMEOUT (waits until the deadline) */
    atomic_uint asked, asked_refresh;
    pthread_mutex_t shown;           /* guards what it was shown */
    char shown_code[8], own_code[8]; /* of the pairing */
    uint32_t wait_ms;                /* how long signing waits for a peer that is away */
    enum ts_error own_verdict;       /* what the enterprise's person says about it */
    atomic_bool shown_locked;        /* by the last question about a refresh */
    char shown_label[65], shown_mechanism[32];
    uint8_t shown_message[64];
    size_t shown_message_len;
    void (*tamper)(int type, struct ts_buf *payload, enum ts_curve curve, uint32_t bits);
};

/* Anew: stores, tokens, identities and primes of both sides, started, with a person who agrees. */
void two_sides_start(struct two_sides *both);
void two_sides_stop(struct two_sides *both);

/* The peer alone: as if its process ended, and came back on the same port. */
void two_sides_stop_peer(struct two_sides *both);
void two_sides_start_peer(struct two_sides *both);
/* The enterprise alone. */
void two_sides_restart_enterprise(struct two_sides *both);

/* The device dials in to the enterprise, whose configuration says where to listen, until its side is stopped. */
void two_sides_dial_in(struct two_sides *both);
/* A pair of test-only safe primes for each side's next pairing or refresh, by their places in the file: 0, 2, 4, 6. */
void two_sides_give_primes(struct two_sides *both, const char *p1_from, const char *p2_from);

/* Invite and pair. */
enum ts_error two_sides_pair(struct two_sides *both);
/* A key "signing key", asked for by the user "me". */
enum ts_error two_sides_make_key(struct two_sides *both, struct ts_new_key *key, enum ts_curve curve);
/* The last record of its kind. */
struct ts_journal_row two_sides_newest(struct ts_journal *journal, enum ts_journal_kind kind);

/* SHA-256 of a text, signed as ECDSA-SHA256, and checked with OpenSSL. Returns what signing returned; fails the test
   when a signature is returned that does not verify or is not low. */
enum ts_error two_sides_sign(struct two_sides *both, const struct ts_new_key *key, const char *message);

#endif
