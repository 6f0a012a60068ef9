#ifndef TS_TESTS_STORE_FIXTURE_H
#define TS_TESTS_STORE_FIXTURE_H

#include "store/store.h"

#include <sys/types.h>

#define FIXTURE_PIN "so-pin-1618"
#define FIXTURE_USER_PIN "user-pin-0577"

/** What a test of the store works with: an environment whose log is kept, a folder, a database in it. */
struct fixture {
    struct ts_env env;
    char dir[64], path[128];
    struct ts_store *store;
    uint64_t token;             /**< by fixture_token */
    struct ts_keyring *keyring; /**< by fixture_token */
    char log[8192];             /**< all lines so far */
};

/** Make environment, folder and database; a failed step fails the test. Call it in a checked fixture. */
void fixture_open(struct fixture *fixture);

/** Close everything, remove the folder. */
void fixture_close(struct fixture *fixture);

/** A token without HSM under FIXTURE_PIN, unlocked. */
void fixture_token(struct fixture *fixture);

/** Close and open the store again, as another process would see it. */
void fixture_reopen(struct fixture *fixture);

/** A small value of the token; get: UINT32_MAX when there is none, anything else than these two fails the test. */
enum ts_error fixture_put(const struct fixture *fixture, struct ts_store *store, const char *name, uint32_t number);
uint32_t fixture_get(const struct fixture *fixture, const char *name);

/** How a child of fork ends: killed when all was well, because it cannot free what is its parent's, and valgrind would
 *  count that. */
_Noreturn void fixture_leave(bool good);
/** Wait for the child. Returns: true when it was `good`. */
bool fixture_left_well(pid_t pid);

/** Change the database behind the store's back with the sqlite3 library; at least one row must change. */
void fixture_tamper(const struct fixture *fixture, const char *sql);

/** Are the bytes anywhere in the database, its write-ahead log or its index? */
bool fixture_holds(const struct fixture *fixture, const void *bytes, size_t len);

/** A peer row that is filled in: pairing id all `tag`, name "peer TAG". */
struct ts_peer_row fixture_peer(const struct fixture *fixture, uint8_t tag);

#endif
