#include "store/schema.h"

/* "TSST": tells our files from other SQLite databases. */
#define APPLICATION_ID 1414747988

static const char *const migrations[TS_SCHEMA_VERSION] = {
    "CREATE TABLE token(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL, serial TEXT NOT NULL UNIQUE,"
    "  key_id BLOB NOT NULL);"
    "CREATE TABLE pin(token INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE, user INTEGER NOT NULL,"
    "  sealed BLOB NOT NULL, failures INTEGER NOT NULL DEFAULT 0, round INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY(token, user)) WITHOUT ROWID;"
    "CREATE TABLE value(token INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    "  sealed BLOB NOT NULL, PRIMARY KEY(token, name)) WITHOUT ROWID;"
    "CREATE TABLE primes(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  token INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE, bits INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE INDEX primes_by_bits ON primes(token, bits);"
    "CREATE TABLE peer(pairing BLOB PRIMARY KEY, token INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE,"
    "  name TEXT NOT NULL, address TEXT NOT NULL, key_hash BLOB NOT NULL, bits INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, confirmation BLOB NOT NULL, acknowledged INTEGER NOT NULL, created INTEGER NOT NULL,"
    "  last_seen INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX peer_active_name ON peer(token, name) WHERE state = 2;"
    "CREATE INDEX peer_by_key ON peer(token, key_hash);"
    "CREATE TABLE half(key BLOB NOT NULL, generation INTEGER NOT NULL,"
    "  token INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE,"
    "  pairing BLOB NOT NULL REFERENCES peer(pairing), curve TEXT NOT NULL, label TEXT NOT NULL,"
    "  public_key BLOB NOT NULL, confirmation BLOB NOT NULL, state INTEGER NOT NULL, acknowledged INTEGER NOT NULL,"
    "  created INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY(key, generation)) WITHOUT ROWID;"
    "CREATE INDEX half_by_pairing ON half(pairing);"
    "CREATE INDEX half_by_token ON half(token);"
    "CREATE TABLE key_lock(key BLOB PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE object(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  token INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE);"
    "CREATE INDEX object_by_token ON object(token);"
    "CREATE TABLE attribute(object INTEGER NOT NULL REFERENCES object(id) ON DELETE CASCADE, type INTEGER NOT NULL,"
    "  sealed INTEGER NOT NULL, generation INTEGER NOT NULL, value BLOB NOT NULL,"
    "  PRIMARY KEY(object, type)) WITHOUT ROWID;",
    "CREATE TABLE temporary(key BLOB PRIMARY KEY, holder INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER temporary_ends AFTER DELETE ON half"
    "  WHEN NOT EXISTS(SELECT 1 FROM half WHERE key = OLD.key)"
    "  BEGIN DELETE FROM temporary WHERE key = OLD.key; END;"
    "CREATE TABLE farewell(key BLOB NOT NULL, generation INTEGER NOT NULL,"
    "  pairing BLOB NOT NULL REFERENCES peer(pairing) ON DELETE CASCADE, confirmation BLOB NOT NULL,"
    "  PRIMARY KEY(key, generation)) WITHOUT ROWID;"
    "CREATE INDEX farewell_by_pairing ON farewell(pairing);",
};

const struct ts_schema ts_store_schema = {APPLICATION_ID, TS_SCHEMA_VERSION, migrations};

/* Results of PRAGMAs and counts: one number in one row. */
static enum ts_error
read_number(int64_t *out, struct ts_store *store, const char *sql)
{
    struct ts_query query;

    ts_query_start(&query, store, sql);
    bool found = ts_query_row(&query);
    *out = ts_query_get_int(&query, 0);
    return ts_query_end_found(&query, found);
}

static enum ts_error
check_owner(struct ts_store *store, const struct ts_schema *schema, int64_t version)
{
    int64_t id = 0, tables = 0;

    enum ts_error result = read_number(&id, store, "PRAGMA application_id");
    if (result == TS_OK)
        result = read_number(&tables, store, "SELECT count(*) FROM sqlite_schema");
    if (result != TS_OK)
        return result;
    if (id == schema->application_id || (id == 0 && version == 0 && tables == 0))
        return TS_OK;
    ts_log(store->env, TS_LOG_ERROR, "database %s belongs to another program; name another file in the configuration",
        store->path);
    return TS_STORAGE;
}

static enum ts_error
migrate(struct ts_store *store, const struct ts_schema *schema, int64_t version)
{
    char mark[128];
    enum ts_error result = TS_OK;

    for (; result == TS_OK && version < schema->version; version++)
        result = ts_db_execute(store, schema->migrations[version]);
    if (result != TS_OK)
        return result;
    (void)sqlite3_snprintf(sizeof mark, mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
        schema->application_id, schema->version);
    return ts_db_execute(store, mark);
}

/* Inside a transaction, where no other process can change the version. */
static enum ts_error
upgrade(struct ts_store *store, const struct ts_schema *schema)
{
    int64_t version = 0;

    enum ts_error result = read_number(&version, store, "PRAGMA user_version");
    if (result == TS_OK)
        result = check_owner(store, schema, version);
    if (result != TS_OK)
        return result;
    if (version < 0 || version > schema->version) {
        ts_log(store->env, TS_LOG_ERROR, "database %s has schema %lld, this program knows up to %d; upgrade tallystick",
            store->path, (long long)version, schema->version);
        return TS_STORAGE;
    }
    return version == schema->version ? TS_OK : migrate(store, schema, version);
}

enum ts_error
ts_schema_prepare(struct ts_store *store, const struct ts_schema *schema)
{
    int64_t version = 0;

    /* The usual case needs no write lock. */
    enum ts_error result = read_number(&version, store, "PRAGMA user_version");
    if (result == TS_OK && version == schema->version)
        return check_owner(store, schema, version);
    if (result == TS_OK)
        result = ts_store_begin(store);
    return result == TS_OK ? ts_store_finish(store, upgrade(store, schema)) : result;
}
