#include "session/config.h"
#include "session/config_outline.h"
#include "session/config_place.h"
#include "session/config_server.h"
#include "session/config_value.h"
#include "base/secret.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES 65536
#define VALUE_MAX_BYTES TS_OUTLINE_VALUE_MAX
#define FAULT_BYTES 256
#define LIST_MAX 256

/* Every value as the text that stands in the file; `settings` says how it is read. */
struct raw_log {
    char *to, *level;
};
struct raw_timeout {
    char *connect, *step, *approval, *heartbeat, *resume, *wait;
};
struct raw_sessions {
    char *keep;
};
struct raw_peer {
    char *store, *listen, *connect, *advertise, *name, *passphrase, *approval;
};
struct raw_server {
    char *listen, *certificate, *key, *client_ca, *module, *token, *pin, *store;
    char *workers, *queue, *rate, *body, *deadline, *read, *stop, *keep, *audit_keep;
    struct ts_config_caller *callers;
    unsigned callers_count;
};
struct raw {
    char *store, *hsm, *modulus_bits, *threads, *listen, *presignatures;
    struct raw_log log;
    struct raw_timeout timeout;
    struct raw_sessions sessions;
    struct raw_peer peer;
    struct raw_server server;
    char *role;
    char **partners, **capabilities;
    unsigned partners_count, capabilities_count;
};

#define TEXT(key, type, member)                                                                                        \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, VALUE_MAX_BYTES)

#define LIST(key, type, member, entry)                                                                                 \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, entry, 0, LIST_MAX)

static const cyaml_schema_field_t log_fields[] = {
    TEXT("to", struct raw_log, to),
    TEXT("level", struct raw_log, level),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t timeout_fields[] = {
    TEXT("connect", struct raw_timeout, connect),
    TEXT("step", struct raw_timeout, step),
    TEXT("approval", struct raw_timeout, approval),
    TEXT("heartbeat", struct raw_timeout, heartbeat),
    TEXT("resume", struct raw_timeout, resume),
    TEXT("wait", struct raw_timeout, wait),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t sessions_fields[] = {
    TEXT("keep", struct raw_sessions, keep),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t peer_fields[] = {
    TEXT("store", struct raw_peer, store),
    TEXT("listen", struct raw_peer, listen),
    TEXT("connect", struct raw_peer, connect),
    TEXT("advertise", struct raw_peer, advertise),
    TEXT("name", struct raw_peer, name),
    TEXT("passphrase", struct raw_peer, passphrase),
    TEXT("approval", struct raw_peer, approval),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, VALUE_MAX_BYTES)};
static const cyaml_schema_field_t caller_fields[] = {
    TEXT("name", struct ts_config_caller, name),
    TEXT("token", struct ts_config_caller, token),
    TEXT("certificate", struct ts_config_caller, certificate),
    TEXT("rate", struct ts_config_caller, rate),
    LIST("allow", struct ts_config_caller, allow, &word),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t caller = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct ts_config_caller, caller_fields)};
static const cyaml_schema_field_t server_fields[] = {
    TEXT("listen", struct raw_server, listen),
    TEXT("certificate", struct raw_server, certificate),
    TEXT("key", struct raw_server, key),
    TEXT("client-ca", struct raw_server, client_ca),
    TEXT("module", struct raw_server, module),
    TEXT("token", struct raw_server, token),
    TEXT("pin", struct raw_server, pin),
    TEXT("store", struct raw_server, store),
    TEXT("workers", struct raw_server, workers),
    TEXT("queue", struct raw_server, queue),
    TEXT("rate", struct raw_server, rate),
    TEXT("body", struct raw_server, body),
    TEXT("deadline", struct raw_server, deadline),
    TEXT("read", struct raw_server, read),
    TEXT("stop", struct raw_server, stop),
    TEXT("keep", struct raw_server, keep),
    TEXT("audit-keep", struct raw_server, audit_keep),
    LIST("callers", struct raw_server, callers, &caller),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t top_fields[] = {
    TEXT("role", struct raw, role),
    LIST("partners", struct raw, partners, &word),
    LIST("capabilities", struct raw, capabilities, &word),
    TEXT("store", struct raw, store),
    TEXT("hsm", struct raw, hsm),
    TEXT("modulus-bits", struct raw, modulus_bits),
    TEXT("threads", struct raw, threads),
    TEXT("listen", struct raw, listen),
    TEXT("presignatures", struct raw, presignatures),
    CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL, struct raw, log, log_fields),
    CYAML_FIELD_MAPPING("timeout", CYAML_FLAG_OPTIONAL, struct raw, timeout, timeout_fields),
    CYAML_FIELD_MAPPING("sessions", CYAML_FLAG_OPTIONAL, struct raw, sessions, sessions_fields),
    CYAML_FIELD_MAPPING("peer", CYAML_FLAG_OPTIONAL, struct raw, peer, peer_fields),
    CYAML_FIELD_MAPPING("server", CYAML_FLAG_OPTIONAL, struct raw, server, server_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t top = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, top_fields)};
static const cyaml_config_t yaml = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};

static const char *const sections[] = {"log", "timeout", "sessions", "peer", "server", "server.callers[]"};
/* [] stands for the number of an entry. */
static const char *const lists[] = {"partners", "capabilities", "server.callers", "server.callers[].allow"};
/* Values inside lists: taken as they are, then checked by session/config_server.c. */
static const char *const entries[] = {"partners[]", "capabilities[]", "server.callers[].allow[]",
    "server.callers[].name", "server.callers[].token", "server.callers[].certificate", "server.callers[].rate"};

#define IN(section, key, member, parse)                                                                                \
    {                                                                                                                  \
        "" #section "." key, offsetof(struct raw, section.member), parse, offsetof(struct ts_config, section.member)   \
    }
/* The one table of keys: where the text is, how it is read, where the value goes. */
static const struct setting {
    const char *name;
    size_t raw;
    ts_value_parse parse;
    size_t out;
} settings[] = {
    {"store", offsetof(struct raw, store), ts_value_path, offsetof(struct ts_config, store)},
    {"hsm", offsetof(struct raw, hsm), ts_value_hsm, offsetof(struct ts_config, hsm)},
    {"modulus-bits", offsetof(struct raw, modulus_bits), ts_value_modulus_bits,
        offsetof(struct ts_config, modulus_bits)},
    {"threads", offsetof(struct raw, threads), ts_value_threads, offsetof(struct ts_config, threads)},
    {"listen", offsetof(struct raw, listen), ts_value_address, offsetof(struct ts_config, listen)},
    {"presignatures", offsetof(struct raw, presignatures), ts_value_presignatures,
        offsetof(struct ts_config, presignatures)},
    IN(log, "to", to, ts_value_log_to),
    IN(log, "level", level, ts_value_log_level),
    IN(timeout, "connect", connect, ts_value_duration),
    IN(timeout, "step", step, ts_value_duration),
    IN(timeout, "approval", approval, ts_value_duration),
    IN(timeout, "heartbeat", heartbeat, ts_value_duration),
    IN(timeout, "resume", resume, ts_value_duration),
    IN(timeout, "wait", wait, ts_value_duration),
    IN(sessions, "keep", keep, ts_value_age),
    IN(peer, "store", store, ts_value_path),
    IN(peer, "listen", listen, ts_value_address),
    IN(peer, "connect", connect, ts_value_addresses),
    IN(peer, "advertise", advertise, ts_value_address),
    IN(peer, "name", name, ts_value_name),
    IN(peer, "passphrase", passphrase, ts_value_pin_source),
    IN(peer, "approval", approval, ts_value_approval),
    {"role", offsetof(struct raw, role), ts_value_role, offsetof(struct ts_config, role)},
    IN(server, "listen", listen, ts_value_address),
    IN(server, "certificate", certificate, ts_value_path),
    IN(server, "key", key, ts_value_path),
    IN(server, "client-ca", client_ca, ts_value_path),
    IN(server, "module", module, ts_value_path),
    IN(server, "token", token, ts_value_name),
    IN(server, "pin", pin, ts_value_pin_source),
    IN(server, "store", store, ts_value_path),
    IN(server, "workers", workers, ts_value_threads),
    IN(server, "queue", queue, ts_value_count),
    IN(server, "rate", rate, ts_value_count),
    IN(server, "body", body, ts_value_count),
    IN(server, "deadline", deadline, ts_value_duration),
    IN(server, "read", read, ts_value_duration),
    IN(server, "stop", stop, ts_value_duration),
    IN(server, "keep", keep, ts_value_age),
    IN(server, "audit-keep", audit_keep, ts_value_age),
};
#define SETTINGS (sizeof settings / sizeof *settings)

/* Where the one line about a failure goes. */
struct report {
    const char *path;
    char *text;
    size_t size;
};

static enum ts_error say(const struct report *report, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum ts_error
say(const struct report *report, size_t line, const char *format, ...)
{
    char words[FAULT_BYTES], place[24] = "";
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    for (char *at = words; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?'; /* one line, and nothing that a terminal obeys */
    if (line)
        (void)snprintf(place, sizeof place, ":%zu", line);
    if (report->size)
        (void)snprintf(report->text, report->size, "%s%s: %s", report->path, place, words);
    return TS_USAGE;
}

static enum ts_error
out_of_memory(const struct report *report)
{
    (void)say(report, 0, "out of memory");
    return TS_INTERNAL;
}

/* "callers[12].name" as the tables call it: "callers[].name" */
static void
without_numbers(char out[TS_OUTLINE_NAME_BYTES], const char *name)
{
    size_t len = 0;

    for (const char *at = name; *at; at++) {
        out[len++] = *at;
        if (*at == '[')
            at += strspn(at + 1, "0123456789");
    }
    out[len] = 0;
}

static bool
is_one_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}
#define IS_ONE_OF(names, name) is_one_of(names, sizeof(names) / sizeof *(names), name)

static bool
is_setting(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].name, name) == 0)
            return true;
    return IS_ONE_OF(entries, name);
}

static enum ts_error
check_key(const struct ts_outline_key *key, const struct report *report)
{
    char name[TS_OUTLINE_NAME_BYTES];

    without_numbers(name, key->name);
    bool section = IS_ONE_OF(sections, name), list = IS_ONE_OF(lists, name);
    if (!section && !list && !is_setting(name))
        return say(report, key->line, "unknown key \"%s\"", key->name);
    if (section == key->section && list == key->list)
        return TS_OK;
    if (section)
        return say(report, key->line, "%s: a section of keys is expected, not one value", key->name);
    if (list)
        return say(report, key->line, "%s: a list is expected", key->name);
    if (strchr(name, '.'))
        return say(report, key->line, "%s: one value is expected, not a list or section", key->name);
    if (key->list)
        return say(report, key->line, "%s: a list is not allowed here", key->name);
    return say(report, key->line, "%s: one value is expected, not a section", key->name);
}

static enum ts_error
check_keys(const struct ts_outline *outline, const struct report *report)
{
    enum ts_error error = TS_OK;

    for (size_t i = 0; error == TS_OK && i < outline->count; i++)
        error = check_key(&outline->keys[i], report);
    return error;
}

static enum ts_error
apply(struct ts_config *config, const struct raw *raw, const struct ts_outline *outline, const struct report *report)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        const char *text = *(char *const *)(const void *)((const char *)raw + setting->raw);
        if (!text)
            continue;
        const char *expected = setting->parse((char *)config + setting->out, text);
        if (expected == TS_VALUE_NO_MEMORY)
            return out_of_memory(report);
        if (expected && setting->parse == ts_value_pin_source)
            /* most likely the passphrase itself: not repeated */
            return say(report, ts_outline_line(outline, setting->name), "%s: not %s", setting->name, expected);
        if (expected)
            return say(report, ts_outline_line(outline, setting->name), "%s: \"%.60s\" is not %s", setting->name, text,
                expected);
    }
    return TS_OK;
}

/* The lists change hands: the configuration frees them. */
static void
take_lists(struct ts_config *config, struct raw *raw, const struct ts_outline *outline)
{
    config->partners = raw->partners;
    config->partners_count = raw->partners_count;
    config->partners_set = ts_outline_line(outline, "partners") != 0;
    config->capabilities = raw->capabilities;
    config->capabilities_count = raw->capabilities_count;
    config->capabilities_set = ts_outline_line(outline, "capabilities") != 0;
    config->server.callers = raw->server.callers;
    config->server.callers_count = raw->server.callers_count;
    raw->partners = NULL;
    raw->capabilities = NULL;
    raw->server.callers = NULL;
    raw->partners_count = raw->capabilities_count = raw->server.callers_count = 0;
}

static enum ts_error
check_lists(const struct ts_config *config, const struct ts_outline *outline, const struct report *report)
{
    char name[TS_OUTLINE_NAME_BYTES];
    const char *expected = ts_config_lists_fault(config, name);

    return expected ? say(report, ts_outline_line(outline, name), "%s: not %s", name, expected) : TS_OK;
}

static enum ts_error
parse(struct ts_config *config, const char *text, size_t len, const struct report *report)
{
    struct ts_outline *outline = calloc(1, sizeof *outline);
    struct raw *raw = NULL;
    char fault[FAULT_BYTES];
    size_t line = 0;
    enum ts_error error = TS_INTERNAL;

    if (!outline) {
        error = out_of_memory(report);
        goto out;
    }
    if (ts_outline_read(outline, text, len, &line, fault, sizeof fault) != TS_OK) {
        error = say(report, line, "%s", fault);
        goto out;
    }
    if ((error = check_keys(outline, report)) != TS_OK || outline->count == 0)
        goto out;
    cyaml_err_t result = cyaml_load_data((const uint8_t *)text, len, &yaml, &top, (cyaml_data_t **)&raw, NULL);
    if (result != CYAML_OK)
        error = say(report, 0, "%s", cyaml_strerror(result));
    else
        error = apply(config, raw, outline, report);
    if (error == TS_OK) {
        take_lists(config, raw, outline);
        error = check_lists(config, outline, report);
    }
out:
    (void)cyaml_free(&yaml, &top, raw, 0);
    free(outline);
    return error;
}

/* Read the whole file into `text` (FILE_MAX_BYTES of room). */
static enum ts_error
slurp(int fd, char *text, size_t *len, const struct report *report)
{
    struct stat status;
    ssize_t got = 0;

    if (fstat(fd, &status) != 0)
        return say(report, 0, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return say(report, 0, "is not a regular file");
    for (*len = 0; *len < FILE_MAX_BYTES; *len += (size_t)got) {
        got = read(fd, text + *len, FILE_MAX_BYTES - *len);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got < 0)
            return say(report, 0, "cannot be read: %s", strerror(errno));
        else if (got == 0)
            return TS_OK;
    }
    return say(report, 0, "is larger than %d bytes", FILE_MAX_BYTES - 1);
}

/* A missing file is TS_NOT_FOUND here; whether that is an error depends on who named it. */
static enum ts_error
read_file(struct ts_config *config, const char *path, char *error_text, size_t error_size)
{
    const struct report report = {path, error_text, error_size};
    enum ts_error error;
    char *text = NULL;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        int cause = errno;
        (void)say(&report, 0, "cannot be opened: %s", strerror(cause));
        return cause == ENOENT || cause == ENOTDIR ? TS_NOT_FOUND : TS_USAGE;
    }
    text = malloc(FILE_MAX_BYTES);
    error = text ? slurp(fd, text, &len, &report) : out_of_memory(&report);
    if (error == TS_OK)
        error = parse(config, text, len, &report);
    if (error == TS_OK && !(config->path = strdup(path)))
        error = out_of_memory(&report);
    if (text)
        ts_wipe(text, FILE_MAX_BYTES); /* the HSM's URI may carry a PIN */
    free(text);
    (void)close(fd);
    return error;
}

static enum ts_error
find_and_read(struct ts_config *config, const char *explicit_path, char *error_text, size_t size)
{
    const char *named = explicit_path ? explicit_path : ts_place_variable("TALLYSTICK_CONF");
    enum ts_error error;
    char *path;

    if (named) {
        error = read_file(config, named, error_text, size);
        return error == TS_NOT_FOUND ? TS_USAGE : error;
    }
    path = ts_place_user_config();
    error = path ? read_file(config, path, error_text, size) : TS_NOT_FOUND;
    free(path);
    if (error == TS_NOT_FOUND)
        error = read_file(config, TS_SYSCONFDIR "/tallystick.yaml", error_text, size);
    return error == TS_NOT_FOUND ? TS_OK : error;
}

static void
default_numbers(struct ts_config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    config->modulus_bits = 3072;
    config->threads = processors < 1 ? 1 : processors > 64 ? 64 : (unsigned)processors;
    config->presignatures = 8;
    config->log.level = TS_LOG_INFO;
    config->timeout.connect = 5000;
    config->timeout.step = 15000;
    config->timeout.approval = 60000;
    config->timeout.heartbeat = 5000;
    config->timeout.resume = 60000;
    ts_config_server_numbers(config);
    config->sessions.keep = 30 * 86400;
}

static bool
default_text(char **place, char *value)
{
    if (*place)
        free(value);
    else
        *place = value;
    return *place != NULL;
}

static bool
default_texts(struct ts_config *config)
{
    return default_text(&config->store, ts_place_state("token.db")) &&
           default_text(&config->log.to, strdup("syslog")) &&
           default_text(&config->peer.store, ts_place_state("peer.db")) &&
           default_text(&config->peer.listen, strdup("[::]:8083")) &&
           default_text(&config->peer.advertise, ts_place_advertise(config->peer.listen)) &&
           default_text(&config->peer.name, ts_place_host_name()) &&
           default_text(&config->peer.approval, strdup("ask")) &&
           default_text(&config->server.listen, strdup("[::]:8082")) &&
           default_text(&config->server.store, ts_place_state("server.db"));
}

enum ts_error
ts_config_load(struct ts_config **out, const char *explicit_path, char *error, size_t error_size)
{
    struct ts_config *config = calloc(1, sizeof *config);
    enum ts_error result;

    *out = NULL;
    if (error_size)
        *error = 0;
    if (!config)
        return TS_INTERNAL;
    default_numbers(config);
    result = find_and_read(config, explicit_path, error, error_size);
    if (result == TS_OK && !default_texts(config)) {
        const struct report report = {config->path ? config->path : "configuration", error, error_size};
        (void)say(&report, 0, "no home folder for the default of store, or out of memory");
        result = TS_INTERNAL;
    }
    if (result == TS_OK) {
        if (error_size)
            *error = 0;
        *out = config;
        config = NULL;
    }
    ts_config_free(config);
    return result;
}

static void
free_text(char *text)
{
    if (text)
        ts_wipe(text, strlen(text));
    free(text);
}

static void
free_list(char **list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free_text(list[i]);
    free(list);
}

static void
free_server(struct ts_config *config)
{
    char *texts[] = {config->server.listen, config->server.certificate, config->server.key, config->server.client_ca,
        config->server.module, config->server.token, config->server.pin, config->server.store};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free_text(texts[i]);
    for (unsigned i = 0; i < config->server.callers_count; i++) {
        struct ts_config_caller *one = &config->server.callers[i];
        free_text(one->name);
        free_text(one->token);
        free_text(one->certificate);
        free_text(one->rate);
        free_list(one->allow, one->allow_count);
    }
    free(config->server.callers);
}

void
ts_config_free(struct ts_config *config)
{
    if (!config)
        return;
    free_text(config->path);
    free_text(config->store);
    free_text(config->hsm);
    free_text(config->listen);
    free_text(config->log.to);
    free_text(config->peer.store);
    free_text(config->peer.listen);
    free_text(config->peer.connect);
    free_text(config->peer.advertise);
    free_text(config->peer.name);
    free_text(config->peer.passphrase);
    free_text(config->peer.approval);
    free_text(config->role);
    free_list(config->partners, config->partners_count);
    free_list(config->capabilities, config->capabilities_count);
    free_server(config);
    free(config);
}

void
ts_config_log(struct ts_log *log, const struct ts_config *config)
{
    if (strcmp(config->log.to, "syslog") == 0)
        ts_log_to_syslog(log, config->log.level);
    else if (strcmp(config->log.to, "stderr") == 0)
        ts_log_to_stderr(log, config->log.level);
    else
        ts_log_to_file(log, config->log.level, config->log.to);
}
