#ifndef TS_SESSION_JOURNAL_H
#define TS_SESSION_JOURNAL_H

#include "store/journal_rows.h"

/** What the conversations of one side do and did: pairing, key generation, presignatures, signatures, refresh. Both
 *  sides write it; `tallystick sessions`, `tallystick-peer sessions` and the enterprise server read it. It is a view for
 *  people: nothing here decides about a key, and a journal that cannot be written stops no signature (one warning).
 *  Thread-safe. */
struct ts_journal;

/** The journal beside a store. Touches no file before its first use.
 *  In:   store    path of the store's database
 *        keep_s   records that ended longer ago are forgotten; seconds
 *        holder   of this process; NULL: one of its own, opened at the first use
 *  Returns: TS_OK; TS_INTERNAL. env and holder must outlive it. */
enum ts_error ts_journal_open(struct ts_journal **out, const struct ts_env *env, const char *store, uint32_t keep_s,
    const struct ts_holder *holder);
/** No entry may be open. NULL is allowed. */
void ts_journal_close(struct ts_journal *journal);
/** In a forked child: free memory only. */
void ts_journal_abandon(struct ts_journal *journal);

/* --- reading. Records whose process died show as INTERRUPTED --- */

/** Newest first. Free with free().
 *  Returns: TS_OK; TS_NOT_FOUND when no record has the id filter->after; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_journal_list(
    struct ts_journal_row **out, size_t *count, struct ts_journal *journal, const struct ts_journal_filter *filter);
/** Returns: TS_OK; TS_NOT_FOUND; TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_journal_get(struct ts_journal_row *out, struct ts_journal *journal, const uint8_t id[TS_ID_BYTES]);
/** Every step that was reached after `cursor`, in order, at most `limit` (0: TS_JOURNAL_LIMIT_MAX): for a stream of
 *  events, asked again with the last number. Does not wait. Free with free(). Returns: TS_OK, also with none;
 *  TS_STORAGE; TS_INTERNAL. */
enum ts_error ts_journal_changes(
    struct ts_journal_event **out, size_t *count, struct ts_journal *journal, uint64_t cursor, unsigned limit);
/** Where a stream begins that shows only what is to come. */
enum ts_error ts_journal_cursor(uint64_t *out, struct ts_journal *journal);

/** "PAIRING", "SIGN", ...; "RUNNING", "WAITING_FOR_PARTNER", "COMPLETED", ... Static; "?" outside the enum. */
const char *ts_journal_kind_name(enum ts_journal_kind kind);
const char *ts_journal_status_name(enum ts_journal_status status);
/** Is it the status of what has ended? */
bool ts_journal_status_ended(enum ts_journal_status status);
/** By that name in any case; 0 when there is none. */
enum ts_journal_kind ts_journal_kind_find(const char *name);
enum ts_journal_status ts_journal_status_find(const char *name);

/* --- writing: one entry for each conversation, used by its thread --- */

struct ts_journal_entry;
struct ts_session;

struct ts_journal_start {
    enum ts_journal_kind kind;
    const uint8_t *id;                                       /**< TS_ID_BYTES chosen by the caller; NULL: random */
    const uint8_t *key;                                      /**< TS_ID_BYTES; NULL when there is none */
    const char *label, *partner, *application, *host, *user; /**< may be NULL */
};

/** Returns: TS_OK and an entry, which is NULL when the journal cannot be written (all calls below take NULL); TS_EXISTS
 *  when the id was used before; TS_INTERNAL. `journal` may be NULL. */
enum ts_error ts_journal_begin(
    struct ts_journal_entry **out, struct ts_journal *journal, const struct ts_journal_start *start);

/** Every message of the session (session/talk.c) is a step of the entry from now on. The session must be closed before
 *  the entry ends, or attached to NULL. */
void ts_journal_attach(struct ts_journal_entry *entry, struct ts_session *session);

/** A step was reached. step: its protocol name. */
void ts_journal_step(struct ts_journal_entry *entry, const char *step);

/** The key, the partner, who asks, once they are known; kept with the next step. label and the strings of the asker may
 *  be NULL. */
void ts_journal_key(struct ts_journal_entry *entry, const uint8_t key[TS_ID_BYTES], const char *label);
void ts_journal_partner(struct ts_journal_entry *entry, const char *name);
void ts_journal_asker(struct ts_journal_entry *entry, const char *application, const char *host, const char *user);

/** Does it wait for the partner to come (WAITING_FOR_PARTNER), or run? */
void ts_journal_wait(struct ts_journal_entry *entry, bool waiting);

/** Which presignature is used, and for which request bytes; kept with the next step. */
void ts_journal_presignature(struct ts_journal_entry *entry, const uint8_t presignature[TS_ID_BYTES],
    const uint8_t *request, size_t request_len);
/** The peer's answer bytes; kept with the next step. */
void ts_journal_answer(struct ts_journal_entry *entry, const uint8_t *answer, size_t len);

/** The name of a presignature that both sides compute alike: the first 16 bytes of SHA-256 over key, generation, both
 *  nonces of the connection, batch and index. */
void ts_journal_presignature_id(uint8_t out[TS_ID_BYTES], const struct ts_env *env, const uint8_t key[TS_ID_BYTES],
    uint32_t generation, const uint8_t n1[32], const uint8_t n2[32], uint64_t batch, uint32_t index);

/** Why it goes wrong, for an end without words of its own. May be NULL, or be said several times: the first stays. */
void ts_journal_words(struct ts_journal_entry *entry, const char *words);

/** What it turned out to be: a presignature, not a signature. */
void ts_journal_change_kind(struct ts_journal_entry *entry, enum ts_journal_kind kind);

/** It ended. TS_OK: COMPLETED; TS_REFUSED, TS_INCAPABLE: REFUSED; TS_TIMEOUT: TIMED_OUT; else FAILED. words may be NULL. Frees. */
void ts_journal_end(struct ts_journal_entry *entry, enum ts_error error, const char *words);
/** It ended because who asked gave up: CANCELLED. Frees. */
void ts_journal_cancel(struct ts_journal_entry *entry, const char *words);

#endif
