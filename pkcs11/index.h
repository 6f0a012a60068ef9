#ifndef TS_PKCS11_INDEX_H
#define TS_PKCS11_INDEX_H

#include "pkcs11/cryptoki.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ts_object_list;

/** One attribute of one object: the hash of its type and value. */
struct ts_index_entry {
    uint64_t hash;
    size_t position; /**< in the list */
};

/** Index of a list of objects by CKA_CLASS, CKA_KEY_TYPE, CKA_ID and CKA_LABEL. Empty when zeroed. It is built by the
 *  second search over a list that has not changed: one search alone is no cheaper with it. */
struct ts_index {
    struct ts_index_entry *entries; /**< by rising hash, then position */
    size_t count;
    bool ready, wanted;
};

/** Objects that may match: their positions rise. Hashes may collide: each must still be compared. */
struct ts_candidates {
    const struct ts_index_entry *entries; /**< NULL: every object of the list */
    size_t count;
};

/** Drop it, because the list has changed. */
void ts_index_clear(struct ts_index *index);

/** The smallest set of candidates that an indexed attribute of the template gives. Never fails: without memory every
 *  object is a candidate. */
struct ts_candidates ts_index_lookup(struct ts_object_list *list, const CK_ATTRIBUTE *template, CK_ULONG count);

#endif
