#include "store/db.h"

#include "base/secret.h"
#include "store/gcm.h"
#include "store/keyring.h"

#include <stdlib.h>
#include <string.h>

static void
attribute_aad(struct ts_buf *aad, uint64_t object, uint64_t type, uint64_t generation)
{
    ts_aad_start(aad, "object");
    ts_aad_number(aad, object);
    ts_aad_number(aad, type);
    ts_aad_number(aad, generation);
}

/* Each new value of an attribute gets the next number, from 1: an old sealed value does not open in its place. */
static enum ts_error
next_generation(uint64_t *out, struct ts_store *store, uint64_t object, uint64_t type)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT generation FROM attribute WHERE object = ? AND type = ?");
    ts_query_int(&query, (int64_t)object);
    ts_query_int(&query, (int64_t)type);
    bool found = ts_query_row(&query);
    *out = found ? (uint64_t)ts_query_get_int(&query, 0) + 1 : 1;
    return ts_query_end(&query);
}

static enum ts_error
write_attribute(struct ts_store *store, uint64_t object, const struct ts_attribute *attribute, uint64_t generation,
    const uint8_t *value, size_t len)
{
    struct ts_query query;

    ts_query_start(&query, store,
        "INSERT INTO attribute(object, type, sealed, generation, value) VALUES(?, ?, ?, ?, ?) ON CONFLICT(object, type)"
        " DO UPDATE SET sealed = excluded.sealed, generation = excluded.generation, value = excluded.value");
    ts_query_int(&query, (int64_t)object);
    ts_query_int(&query, (int64_t)attribute->type);
    ts_query_int(&query, attribute->sealed);
    ts_query_int(&query, (int64_t)generation);
    ts_query_blob(&query, value, len);
    return ts_query_run(&query);
}

static enum ts_error
put_attribute(
    struct ts_store *store, const struct ts_keyring *keyring, uint64_t object, const struct ts_attribute *attribute)
{
    struct ts_buf aad, sealed;
    uint64_t generation = 0;

    if (attribute->len > TS_SEALED_MAX)
        return TS_USAGE;
    enum ts_error result = next_generation(&generation, store, object, attribute->type);
    if (result != TS_OK)
        return result;
    if (!attribute->sealed)
        return write_attribute(store, object, attribute, generation, attribute->value, attribute->len);
    ts_buf_init(&sealed, 0);
    attribute_aad(&aad, object, attribute->type, generation);
    result = ts_keyring_seal_aad(&sealed, keyring, attribute->value, attribute->len, &aad);
    if (result == TS_OK)
        result = write_attribute(store, object, attribute, generation, sealed.data, sealed.len);
    ts_buf_clear(&sealed);
    ts_buf_clear(&aad);
    return result;
}

/* In a transaction. The keyring is looked at only when something is sealed. */
static enum ts_error
put_attributes(struct ts_store *store, const struct ts_keyring *keyring, uint64_t token, uint64_t object,
    const struct ts_attribute *attributes, size_t count)
{
    enum ts_error result = TS_OK;
    bool sealed = false;

    for (size_t i = 0; i < count; i++)
        sealed = sealed || attributes[i].sealed;
    if (sealed)
        result = ts_keyring_check(store, keyring, token);
    for (size_t i = 0; result == TS_OK && i < count; i++)
        result = put_attribute(store, keyring, object, &attributes[i]);
    return result;
}

static enum ts_error
insert_object(uint64_t *id, struct ts_store *store, uint64_t token)
{
    struct ts_query query;

    ts_query_start(&query, store, "INSERT INTO object(token) VALUES(?)");
    ts_query_int(&query, (int64_t)token);
    enum ts_error result = ts_query_run(&query);
    *id = (uint64_t)sqlite3_last_insert_rowid(store->db);
    return result;
}

enum ts_error
ts_object_put(uint64_t *id, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token,
    const struct ts_attribute *attributes, size_t count)
{
    uint64_t object = 0;

    *id = 0;
    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    /* The row comes first, because its id is part of what is sealed. */
    result = insert_object(&object, store, token);
    if (result == TS_OK)
        result = put_attributes(store, keyring, token, object, attributes, count);
    result = ts_store_finish(store, result);
    if (result == TS_OK)
        *id = object;
    return result;
}

static enum ts_error
token_of(uint64_t *token, struct ts_store *store, uint64_t object)
{
    struct ts_query query;

    ts_query_start(&query, store, "SELECT token FROM object WHERE id = ?");
    ts_query_int(&query, (int64_t)object);
    bool found = ts_query_row(&query);
    *token = (uint64_t)ts_query_get_int(&query, 0);
    return ts_query_end_found(&query, found);
}

enum ts_error
ts_object_set(struct ts_store *store, const struct ts_keyring *keyring, uint64_t id,
    const struct ts_attribute *attributes, size_t count)
{
    uint64_t token = 0;

    enum ts_error result = ts_store_begin(store);
    if (result != TS_OK)
        return result;
    result = token_of(&token, store, id);
    if (result == TS_OK)
        result = put_attributes(store, keyring, token, id, attributes, count);
    return ts_store_finish(store, result);
}

enum ts_error
ts_object_delete(struct ts_store *store, uint64_t id)
{
    struct ts_query query;

    ts_query_start(&query, store, "DELETE FROM object WHERE id = ?");
    ts_query_int(&query, (int64_t)id);
    return ts_query_change(&query);
}

/* --- reading --- */

static void
erase_attributes(struct ts_object_row *object)
{
    for (size_t i = 0; i < object->count; i++) {
        ts_wipe(object->attributes[i].value, object->attributes[i].len);
        free(object->attributes[i].value);
    }
    free(object->attributes);
}

void
ts_object_list_free(struct ts_object_row *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        erase_attributes(&list[i]);
    free(list);
}

/* Keep a copy of a value; an empty one too has a pointer, to be told from one that could not be opened. */
static enum ts_error
keep_value(struct ts_attribute *attribute, const struct ts_buf *value)
{
    if (ts_buf_error(value) != TS_OK)
        return ts_buf_error(value) == TS_FORMAT ? TS_STORAGE : TS_INTERNAL;
    attribute->value = malloc(value->len ? value->len : 1);
    if (!attribute->value)
        return TS_INTERNAL;
    if (value->len > 0)
        memcpy(attribute->value, value->data, value->len);
    attribute->len = value->len;
    return TS_OK;
}

static enum ts_error
open_value(struct ts_attribute *attribute, const struct ts_keyring *keyring, uint64_t object, uint64_t generation,
    const struct ts_buf *sealed)
{
    struct ts_buf aad, plain;

    ts_buf_init_secret(&plain, TS_SEALED_MAX);
    attribute_aad(&aad, object, attribute->type, generation);
    enum ts_error result = ts_keyring_open_aad(&plain, keyring, sealed, &aad);
    if (result == TS_OK)
        result = keep_value(attribute, &plain);
    ts_buf_clear(&plain);
    ts_buf_clear(&aad);
    return result;
}

/* The attribute of a joined row: columns 1 to 4. */
static enum ts_error
read_attribute(struct ts_object_row *object, struct ts_query *query, const struct ts_keyring *keyring)
{
    struct ts_attribute attribute = {.type = (uint64_t)ts_query_get_int(query, 1)};
    uint64_t generation = (uint64_t)ts_query_get_int(query, 3);
    void *list = object->attributes;
    struct ts_buf stored;

    attribute.sealed = ts_query_get_int(query, 2) != 0;
    ts_buf_init(&stored, TS_SEALED_MAX + TS_GCM_OVERHEAD);
    ts_query_get_bytes(query, 4, &stored);
    enum ts_error result = TS_OK;
    if (!attribute.sealed)
        result = keep_value(&attribute, &stored);
    else if (keyring)
        result = open_value(&attribute, keyring, object->id, generation, &stored);
    if (result == TS_OK)
        result = ts_list_append(&list, &object->count, &attribute, sizeof attribute);
    object->attributes = list;
    if (result != TS_OK && attribute.value) {
        ts_wipe(attribute.value, attribute.len);
        free(attribute.value);
    }
    ts_buf_clear(&stored);
    return result;
}

/* One joined row: perhaps a new object, perhaps an attribute of it. */
static enum ts_error
read_row(void **list, size_t *count, struct ts_query *query, const struct ts_keyring *keyring, uint64_t token)
{
    uint64_t id = (uint64_t)ts_query_get_int(query, 0);
    struct ts_object_row *objects = *list;

    if (*count == 0 || objects[*count - 1].id != id) {
        struct ts_object_row object = {.id = id, .token = token};
        enum ts_error result = ts_list_append(list, count, &object, sizeof object);
        if (result != TS_OK)
            return result;
        objects = *list;
    }
    bool has_attribute = ts_query_get_int(query, 5) != 0;
    return has_attribute ? read_attribute(&objects[*count - 1], query, keyring) : TS_OK;
}

enum ts_error
ts_object_list(
    struct ts_object_row **out, size_t *count, struct ts_store *store, const struct ts_keyring *keyring, uint64_t token)
{
    struct ts_query query;
    void *list = NULL;
    size_t rows = 0;
    enum ts_error result = TS_OK;

    *out = NULL;
    *count = 0;
    if (keyring && keyring->token != token)
        return TS_USAGE;
    ts_query_start(&query, store,
        "SELECT object.id, type, sealed, generation, value, attribute.object IS NOT NULL FROM object"
        " LEFT JOIN attribute ON attribute.object = object.id WHERE token = ? ORDER BY object.id, type");
    ts_query_int(&query, (int64_t)token);
    while (result == TS_OK && ts_query_row(&query))
        result = read_row(&list, &rows, &query, keyring, token);
    enum ts_error ended = ts_query_end(&query);
    if (result == TS_OK)
        result = ended;
    if (result != TS_OK) {
        ts_object_list_free(list, rows);
        return result;
    }
    *out = list;
    *count = rows;
    return TS_OK;
}
