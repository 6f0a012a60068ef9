#include "pkcs11/index.h"

#include "pkcs11/objects.h"

#include <stdlib.h>

static const CK_ATTRIBUTE_TYPE indexed[] = {CKA_CLASS, CKA_KEY_TYPE, CKA_ID, CKA_LABEL};
#define INDEXED (sizeof(indexed) / sizeof(indexed[0]))

void
ts_index_clear(struct ts_index *index)
{
    free(index->entries);
    *index = (struct ts_index){0};
}

/* FNV-1a. Whoever can choose labels to collide only slows down a search of their own token. */
static uint64_t
hash_value(CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u ^ type;
    const uint8_t *bytes = value;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static bool
is_indexed(CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < INDEXED; i++) {
        if (indexed[i] == type)
            return true;
    }
    return false;
}

static int
compare_entries(const void *left, const void *right)
{
    const struct ts_index_entry *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

static void
build(struct ts_index *index, const struct ts_object_list *list)
{
    struct ts_index_entry *entries = calloc(list->count * INDEXED + 1, sizeof(*entries));
    size_t count = 0;

    if (!entries)
        return;
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < INDEXED; j++) {
            const struct ts_attribute *item = ts_attrs_find(&list->items[i].attrs, indexed[j]);
            if (item)
                entries[count++] = (struct ts_index_entry){hash_value(indexed[j], item->value, item->len), i};
        }
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    *index = (struct ts_index){entries, count, true, true};
}

/* First entry that is not below the hash. */
static size_t
lower_bound(const struct ts_index *index, uint64_t hash)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct ts_candidates
range_of(const struct ts_index *index, uint64_t hash)
{
    size_t from = lower_bound(index, hash);
    size_t to = hash == UINT64_MAX ? index->count : lower_bound(index, hash + 1);

    return (struct ts_candidates){index->entries + from, to - from};
}

struct ts_candidates
ts_index_lookup(struct ts_object_list *list, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct ts_index *index = &list->index;
    struct ts_candidates best = {NULL, list->count};

    if (!index->ready && index->wanted)
        build(index, list);
    index->wanted = true;
    for (CK_ULONG i = 0; index->ready && i < count; i++) {
        if (!is_indexed(template[i].type))
            continue;
        struct ts_candidates found =
            range_of(index, hash_value(template[i].type, template[i].pValue, template[i].ulValueLen));
        if (!best.entries || found.count < best.count)
            best = found;
    }
    return best;
}
