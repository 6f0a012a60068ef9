#ifndef TS_STORE_JOURNAL_ROWS_H
#define TS_STORE_JOURNAL_ROWS_H

#include "store/holder.h"
#include "store/store.h"

/** Records of the conversations of one side, in an SQLite file of its own beside the store: "<store>-sessions". It is
 *  written without waiting for the disk, so that no signature is slower for it; a crash of the whole machine may lose its
 *  last records, or all of them, and never touches a key. Safe for many processes and threads. */
struct ts_journal_rows;

/** Numbers are stored. */
enum ts_journal_kind {
    TS_JOURNAL_PAIRING = 1,
    TS_JOURNAL_KEYGEN = 2,
    TS_JOURNAL_PRESIGN = 3,
    TS_JOURNAL_SIGN = 4,
    TS_JOURNAL_REFRESH = 5
};

/** Numbers are stored. The first two are the ones that go on. */
enum ts_journal_status {
    TS_JOURNAL_RUNNING = 1,
    TS_JOURNAL_WAITING = 2, /**< for the partner to come */
    TS_JOURNAL_COMPLETED = 3,
    TS_JOURNAL_FAILED = 4,
    TS_JOURNAL_REFUSED = 5,    /**< by the person or policy at the peer */
    TS_JOURNAL_TIMED_OUT = 6,  /**< nobody decided or came before the deadline */
    TS_JOURNAL_CANCELLED = 7,  /**< given up by who asked */
    TS_JOURNAL_INTERRUPTED = 8 /**< its process ended without a word */
};

#define TS_JOURNAL_STEP_BYTES 40
#define TS_JOURNAL_WORDS_BYTES 201
#define TS_JOURNAL_LIMIT_MAX 1000u
/** More records than this are not kept, whatever their age. */
#define TS_JOURNAL_RECORDS_MAX 100000

struct ts_journal_row {
    uint8_t id[TS_ID_BYTES]; /**< shown as 32 hex digits */
    uint8_t
        conversation[TS_ID_BYTES]; /**< of the session on the wire, the same on both sides; zeros before there is one */
    enum ts_journal_kind kind;
    enum ts_journal_status status;
    bool has_key;
    uint8_t key[TS_ID_BYTES];
    char label[TS_NAME_MAX];   /**< of the key, "" when unknown */
    char partner[TS_NAME_MAX]; /**< name of the other side */
    char step
        [TS_JOURNAL_STEP_BYTES]; /**< last step that was reached, by its name in the protocol; COMPLETED in the end */
    enum ts_error error;         /**< TS_OK until it failed */
    char words[TS_JOURNAL_WORDS_BYTES];                                  /**< why, in words; "" when nobody said */
    int64_t started_ms, updated_ms;                                      /**< milliseconds since 1970 */
    char application[TS_NAME_MAX], host[TS_NAME_MAX], user[TS_NAME_MAX]; /**< who asked */
    /** Of a signature: which presignature it used (the same bytes on both sides, zeros before there is one), the first 16
     *  bytes of the SHA-256 of the request and of the peer's answer. One presignature never has two answers. */
    uint8_t presignature[TS_ID_BYTES], request[TS_ID_BYTES], answer[TS_ID_BYTES];
    uint64_t holder; /**< ts_holder_number of the process */
};

struct ts_journal_filter {
    enum ts_journal_status status; /**< 0: any */
    enum ts_journal_kind kind;     /**< 0: any */
    const char *partner;           /**< NULL: any */
    const uint8_t *key;            /**< NULL: any; else TS_ID_BYTES */
    const uint8_t *after;          /**< NULL: from the newest; else the id of the last one of the page before */
    unsigned limit;                /**< 1 to TS_JOURNAL_LIMIT_MAX; 0: TS_JOURNAL_LIMIT_MAX */
};

/** One step of one session, as it was reached. */
struct ts_journal_event {
    uint64_t number; /**< rising, without gaps that matter; the cursor */
    uint8_t id[TS_ID_BYTES];
    enum ts_journal_status status;
    char step[TS_JOURNAL_STEP_BYTES]; /**< the name in the protocol; of the last one the name of the status */
    int64_t at_ms;                    /**< since 1970 */
};

/** Is there one beside the store? */
bool ts_journal_rows_exist(const char *path);

/** Open, made when absent; a damaged one is put aside under "<name>.damaged" and begun anew (logged).
 *  In:   path  of the store
 *  Returns: TS_OK; TS_STORAGE; TS_INTERNAL. env must outlive it. */
enum ts_error ts_journal_rows_open(struct ts_journal_rows **out, const struct ts_env *env, const char *path);
/** NULL is allowed. Also for a forked child. */
void ts_journal_rows_close(struct ts_journal_rows *rows);

/** A new record and its first event.
 *  Returns: TS_OK; TS_EXISTS (id); TS_STORAGE. */
enum ts_error ts_journal_rows_add(struct ts_journal_rows *rows, const struct ts_journal_row *row);
/** Replace the whole record, made when it is not there, with an event of the name `event`.
 *  Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_journal_rows_put(struct ts_journal_rows *rows, const struct ts_journal_row *row, const char *event);

/** Records that go on but whose process has ended become INTERRUPTED, with an event at `now_ms`.
 *  Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_journal_rows_settle(struct ts_journal_rows *rows, const struct ts_holder *holder, int64_t now_ms);

/** Newest first. Free with free(). Returns: TS_OK; TS_NOT_FOUND when there is no record `after`; TS_STORAGE;
 *  TS_INTERNAL. */
enum ts_error ts_journal_rows_list(
    struct ts_journal_row **out, size_t *count, struct ts_journal_rows *rows, const struct ts_journal_filter *filter);
/** Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE. */
enum ts_error ts_journal_rows_get(
    struct ts_journal_row *out, struct ts_journal_rows *rows, const uint8_t id[TS_ID_BYTES]);
/** Events numbered above `cursor` in their order, at most `limit`; from the first when the cursor lies beyond all that
 *  ever were, because the journal was begun anew. Free with free(). */
enum ts_error ts_journal_rows_events(
    struct ts_journal_event **out, size_t *count, struct ts_journal_rows *rows, uint64_t cursor, unsigned limit);
/** The number of the last event; 0 when there is none. */
enum ts_error ts_journal_rows_cursor(uint64_t *out, struct ts_journal_rows *rows);

/** Forget what ended before `before_ms` and what is above TS_JOURNAL_RECORDS_MAX. Returns: TS_OK; TS_STORAGE. */
enum ts_error ts_journal_rows_expire(struct ts_journal_rows *rows, int64_t before_ms);

#endif
