#include "session/config.h"
#include "session/config_outline.h"
#include "session/config_place.h"
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
struct raw {
    char *store, *hsm, *modulus_bits, *threads, *listen, *presignatures;
    struct raw_log log;
    struct raw_timeout timeout;
    struct raw_sessions sessions;
    struct raw_peer peer;
};

#define TEXT(key, type, member)                                                                                        \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, VALUE_MAX_BYTES)

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
static const cyaml_schema_field_t top_fields[] = {
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
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t top = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, top_fields)};
static const cyaml_config_t yaml = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};

static const char *const sections[] = {"log", "timeout", "sessions", "peer"};

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
    {"log.to", offsetof(struct raw, log.to), ts_value_log_to, offsetof(struct ts_config, log.to)},
    {"log.level", offsetof(struct raw, log.level), ts_value_log_level, offsetof(struct ts_config, log.level)},
    {"timeout.connect", offsetof(struct raw, timeout.connect), ts_value_duration,
        offsetof(struct ts_config, timeout.connect)},
    {"timeout.step", offsetof(struct raw, timeout.step), ts_value_duration, offsetof(struct ts_config, timeout.step)},
    {"timeout.approval", offsetof(struct raw, timeout.approval), ts_value_duration,
        offsetof(struct ts_config, timeout.approval)},
    {"timeout.heartbeat", offsetof(struct raw, timeout.heartbeat), ts_value_duration,
        offsetof(struct ts_config, timeout.heartbeat)},
    {"timeout.resume", offsetof(struct raw, timeout.resume), ts_value_duration,
        offsetof(struct ts_config, timeout.resume)},
    {"timeout.wait", offsetof(struct raw, timeout.wait), ts_value_duration, offsetof(struct ts_config, timeout.wait)},
    {"sessions.keep", offsetof(struct raw, sessions.keep), ts_value_age, offsetof(struct ts_config, sessions.keep)},
    {"peer.store", offsetof(struct raw, peer.store), ts_value_path, offsetof(struct ts_config, peer.store)},
    {"peer.listen", offsetof(struct raw, peer.listen), ts_value_address, offsetof(struct ts_config, peer.listen)},
    {"peer.connect", offsetof(struct raw, peer.connect), ts_value_addresses, offsetof(struct ts_config, peer.connect)},
    {"peer.advertise", offsetof(struct raw, peer.advertise), ts_value_address,
        offsetof(struct ts_config, peer.advertise)},
    {"peer.name", offsetof(struct raw, peer.name), ts_value_name, offsetof(struct ts_config, peer.name)},
    {"peer.passphrase", offsetof(struct raw, peer.passphrase), ts_value_pin_source,
        offsetof(struct ts_config, peer.passphrase)},
    {"peer.approval", offsetof(struct raw, peer.approval), ts_value_approval,
        offsetof(struct ts_config, peer.approval)},
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

static bool
is_section(const char *name)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i], name) == 0)
            return true;
    return false;
}

static bool
is_setting(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].name, name) == 0)
            return true;
    return false;
}

static enum ts_error
check_keys(const struct ts_outline *outline, const struct report *report)
{
    for (size_t i = 0; i < outline->count; i++) {
        const struct ts_outline_key *key = &outline->keys[i];
        if (!is_section(key->name) && !is_setting(key->name))
            return say(report, key->line, "unknown key \"%s\"", key->name);
        if (key->section && !is_section(key->name))
            return say(report, key->line, "%s: one value is expected, not a section", key->name);
        if (!key->section && is_section(key->name))
            return say(report, key->line, "%s: a section of keys is expected, not one value", key->name);
    }
    return TS_OK;
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
           default_text(&config->peer.approval, strdup("ask"));
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
