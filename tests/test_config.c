#include "session/config.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[128];

static void
make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "%s/tallystick-config-XXXXXX", P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/t.yaml", folder);
    ck_assert_int_eq(setenv("HOME", folder, 1), 0);
    (void)unsetenv("TALLYSTICK_CONF");
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)unsetenv("XDG_STATE_HOME");
}

static void
remove_folder(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static void
write_file(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static struct ts_config *
load_good(const char *text)
{
    struct ts_config *config;
    char error[256] = "not touched";

    write_file(path, text, strlen(text));
    enum ts_error result = ts_config_load(&config, path, error, sizeof error);
    ck_assert_msg(result == TS_OK, "%s", error);
    ck_assert_str_eq(error, "");
    ck_assert_str_eq(config->path, path);
    return config;
}

/* Files that must be refused, and the words after "FILE" of the one line that says why. */
static const struct {
    const char *text, *message;
} bad[] = {
    {"store: /a\nfoo: b\n", ":2: unknown key \"foo\""},
    {"timeout:\n  connect: 5s\n  tea: 3s\n", ":3: unknown key \"timeout.tea\""},
    {"peer: {connect: 'a:1,'}\n",
        ":1: peer.connect: \"a:1,\" is not an address (host:port or [IPv6]:port), or several with commas between"},
    {"connect: 5s\n", ":1: unknown key \"connect\""},
    {"Store: /a\n", ":1: unknown key \"Store\""},
    {"# why\n\ntimeout:\n  connect: abc\n",
        ":4: timeout.connect: \"abc\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"timeout: {step: 5}\n", ":1: timeout.step: \"5\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"timeout: {step: -5s}\n", ":1: timeout.step: \"-5s\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"timeout: {step: 0s}\n", ":1: timeout.step: \"0s\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"timeout: {step: 61m}\n", ":1: timeout.step: \"61m\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"timeout: {step: 99999999999s}\n",
        ":1: timeout.step: \"99999999999s\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"timeout: {approval: 1h}\n",
        ":1: timeout.approval: \"1h\" is not a duration such as 500ms, 5s or 2m, at most 60m"},
    {"sessions: {keep: 500ms}\n", ":1: sessions.keep: \"500ms\" is not an age such as 90m, 12h or 30d, at most 3650d"},
    {"sessions: {keep: 3651d}\n", ":1: sessions.keep: \"3651d\" is not an age such as 90m, 12h or 30d, at most 3650d"},
    {"timeout: 3s\n", ":1: timeout: a section of keys is expected, not one value"},
    {"timeout:\n", ":1: timeout: a section of keys is expected, not one value"},
    {"store: {a: b}\n", ":1: store: one value is expected, not a section"},
    {"store: {}\n", ":1: store: one value is expected, not a section"},
    {"store: [/a]\n", ":1: store: a list is not allowed here"},
    {"partners: phone\n", ":1: partners: a list is expected"},
    {"partners: [phone, {a: b}]\n", ":1: partners[1]: one value is expected, not a section"},
    {"partners:\n  - phone\n  - ''\n", ":3: partners[1]: not a name of 1 to 64 bytes"},
    {"capabilities: [keygen, fly]\n", ":1: capabilities[1]: not one of keygen, sign"},
    {"role: king\n", ":1: role: \"king\" is not one of enterprise, mobile-app"},
    {"server:\n  callers:\n    - name: a\n", ":3: server.callers[0]: not complete: a token or a certificate is needed"},
    {"server:\n  callers:\n    - name: a\n      token: abc\n",
        ":4: server.callers[0].token: not 64 lower-case hexadecimal digits of a SHA-256"},
    {"server:\n  callers:\n    - name: a\n      colour: red\n", ":4: unknown key \"server.callers[0].colour\""},
    {"partners: &a [phone]\n", ":1: an anchor (&name) is not allowed here"},
    {"peer:\n  name: [a]\n", ":2: peer.name: one value is expected, not a list or section"},
    {"peer:\n  name: {a: b}\n", ":2: peer.name: one value is expected, not a list or section"},
    {"store: /a\nstore: /b\n", ":2: store: set before, in line 1"},
    {"peer:\n  name: a\n  name: b\n", ":3: peer.name: set before, in line 2"},
    {"log: {to: syslog}\npeer: {name: x}\nlog: {level: info}\n", ":3: log: set before, in line 1"},
    {"store: tokens.db\n", ":1: store: \"tokens.db\" is not an absolute path (/... or ~/...)"},
    {"store:\n", ":1: store: \"\" is not an absolute path (/... or ~/...)"},
    {"store: /\n", ":1: store: \"/\" is not an absolute path (/... or ~/...)"},
    {"hsm: softhsm\n", ":1: hsm: \"softhsm\" is not a PKCS#11 URI (pkcs11:token=...;object=...)"},
    {"modulus-bits: 1024\n", ":1: modulus-bits: \"1024\" is not one of 2048, 3072, 4096"},
    {"modulus-bits: 0x800\n", ":1: modulus-bits: \"0x800\" is not one of 2048, 3072, 4096"},
    {"threads: 0\n", ":1: threads: \"0\" is not a number from 1 to 64"},
    {"presignatures: 65\n", ":1: presignatures: \"65\" is not a number from 0 to 64"},
    {"threads: 65\n", ":1: threads: \"65\" is not a number from 1 to 64"},
    {"threads: 4294967297\n", ":1: threads: \"4294967297\" is not a number from 1 to 64"},
    {"log:\n  to: somewhere\n", ":2: log.to: \"somewhere\" is not syslog, stderr, or an absolute path"},
    {"log:\n  level: loud\n", ":2: log.level: \"loud\" is not one of error, warning, info, debug"},
    {"peer: {listen: '8083'}\n", ":1: peer.listen: \"8083\" is not an address (host:port or [IPv6]:port)"},
    {"peer: {listen: 'a:65536'}\n", ":1: peer.listen: \"a:65536\" is not an address (host:port or [IPv6]:port)"},
    {"peer: {listen: '::1:80'}\n", ":1: peer.listen: \"::1:80\" is not an address (host:port or [IPv6]:port)"},
    {"peer: {advertise: ':80'}\n", ":1: peer.advertise: \":80\" is not an address (host:port or [IPv6]:port)"},
    {"peer: {name: ''}\n", ":1: peer.name: \"\" is not a name of 1 to 64 bytes"},
    {"peer: {name: \"a\\x1bb\"}\n", ":1: peer.name: \"a?b\" is not a name of printable characters"},
    {"peer: {passphrase: hunter2}\n", ":1: peer.passphrase: not a pin source (file:PATH, env:NAME or credential:NAME)"},
    {"peer: {approval: always}\n", ":1: peer.approval: \"always\" is not ask or auto"},
    {"store: &a /x\n", ":1: an anchor (&name) is not allowed here"},
    {"peer: &a\n  name: b\n", ":1: an anchor (&name) is not allowed here"},
    {"store: *a\n", ":1: an alias (*name) is not allowed here"},
    {"threads: !!int 5\n", ":1: a tag (!name) is not allowed here"},
    {"store: /a\n---\nstore: /b\n", ":2: a second document (---) is not allowed"},
    {"- a\n", ":1: \"key: value\" lines are expected"},
    {"nonsense\n", ":1: \"key: value\" lines are expected"},
    {"? [a]\n: b\n", ":1: a key must be a word"},
    {"store: \"/a\n", ":2: not valid YAML: found unexpected end of stream"},
    {"store: /a\n\tx: y\n", ":2: not valid YAML: found a tab character that violates indentation"},
};

START_TEST(refuses)
{
    struct ts_config *config;
    char error[256], wanted[512];

    write_file(path, bad[_i].text, strlen(bad[_i].text));
    ck_assert_int_eq(ts_config_load(&config, path, error, sizeof error), TS_USAGE);
    ck_assert_ptr_null(config);
    (void)snprintf(wanted, sizeof wanted, "%s%s", path, bad[_i].message);
    ck_assert_str_eq(error, wanted);
}
END_TEST

START_TEST(reads_every_key)
{
    struct ts_config *config = load_good("store: /s/token.db\n"
                                         "hsm: 'pkcs11:token=hsm;object=tallystick'\n"
                                         "modulus-bits: 2048\n"
                                         "threads: 3\n"
                                         "presignatures: 0\n"
                                         "log: {to: ~/log, level: debug}\n"
                                         "timeout:\n  connect: 250ms\n  step: 7s\n  approval: 2m\n  wait: 90s\n"
                                         "  heartbeat: 3s\n  resume: 90s\n"
                                         "listen: '[::1]:9'\n"
                                         "sessions: {keep: 12h}\n"
                                         "peer:\n"
                                         "  store: ~/peer.db\n"
                                         "  listen: 127.0.0.1:9000\n"
                                         "  advertise: phone.example:9001\n"
                                         "  connect: a.example:1,[::1]:2\n"
                                         "  name: Anna's phone\n"
                                         "  passphrase: env:PASS\n"
                                         "  approval: auto\n");
    char home_log[80], home_peer[80];

    (void)snprintf(home_log, sizeof home_log, "%s/log", folder);
    (void)snprintf(home_peer, sizeof home_peer, "%s/peer.db", folder);
    ck_assert_str_eq(config->store, "/s/token.db");
    ck_assert_str_eq(config->hsm, "pkcs11:token=hsm;object=tallystick");
    ck_assert_uint_eq(config->modulus_bits, 2048);
    ck_assert_uint_eq(config->threads, 3);
    ck_assert_uint_eq(config->presignatures, 0);
    ck_assert_str_eq(config->log.to, home_log);
    ck_assert_int_eq(config->log.level, TS_LOG_DEBUG);
    ck_assert_uint_eq(config->timeout.connect, 250);
    ck_assert_uint_eq(config->timeout.step, 7000);
    ck_assert_uint_eq(config->timeout.approval, 120000);
    ck_assert_uint_eq(config->timeout.heartbeat, 3000);
    ck_assert_uint_eq(config->timeout.resume, 90000);
    ck_assert_uint_eq(config->timeout.wait, 90000);
    ck_assert_str_eq(config->listen, "[::1]:9");
    ck_assert_str_eq(config->peer.connect, "a.example:1,[::1]:2");
    ck_assert_uint_eq(config->sessions.keep, 12 * 3600);
    ck_assert_str_eq(config->peer.store, home_peer);
    ck_assert_str_eq(config->peer.listen, "127.0.0.1:9000");
    ck_assert_str_eq(config->peer.advertise, "phone.example:9001");
    ck_assert_str_eq(config->peer.name, "Anna's phone");
    ck_assert_str_eq(config->peer.passphrase, "env:PASS");
    ck_assert_str_eq(config->peer.approval, "auto");
    ts_config_free(config);
}
END_TEST

static void
check_defaults(const struct ts_config *config)
{
    ck_assert_ptr_null(config->hsm);
    ck_assert_uint_eq(config->modulus_bits, 3072);
    ck_assert_uint_ge(config->threads, 1);
    ck_assert_uint_eq(config->presignatures, 8);
    ck_assert_str_eq(config->log.to, "syslog");
    ck_assert_int_eq(config->log.level, TS_LOG_INFO);
    ck_assert_uint_eq(config->timeout.connect, 5000);
    ck_assert_uint_eq(config->timeout.step, 15000);
    ck_assert_uint_eq(config->timeout.approval, 60000);
    ck_assert_uint_eq(config->timeout.heartbeat, 5000);
    ck_assert_uint_eq(config->timeout.resume, 60000);
    ck_assert_uint_eq(config->timeout.wait, 0);
    ck_assert_ptr_null(config->listen);
    ck_assert_ptr_null(config->peer.connect);
    ck_assert_uint_eq(config->sessions.keep, 30 * 86400);
    ck_assert_str_eq(config->peer.listen, "[::]:8083");
    ck_assert_str_eq(strrchr(config->peer.advertise, ':'), ":8083");
    ck_assert_ptr_null(strchr(config->peer.advertise, '['));
    ck_assert_ptr_null(config->peer.passphrase);
    ck_assert_str_eq(config->peer.approval, "ask");
}

START_TEST(fills_in_defaults)
{
    static const char *const texts[] = {"", "# nothing\n", "{}\n", "---\n{}\n...\n"};

    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ts_config *config = load_good(texts[i]);
        check_defaults(config);
        ts_config_free(config);
    }
}
END_TEST

/* "# key: value" becomes "key: value"; prose stays a comment. */
static void
uncomment(char *line)
{
    size_t word = 2 + strspn(line + 2, " ");

    word += strspn(line + word, "abcdefghijklmnopqrstuvwxyz-");
    if (strncmp(line, "# ", 2) == 0 && line[word] == ':')
        memmove(line, line + 2, strlen(line + 2) + 1);
}

START_TEST(the_example_is_true)
{
    struct ts_config *config;
    char line[256], text[8192] = "", error[256];
    FILE *file = fopen(TS_TESTDIR "/../docs/tallystick.yaml.example", "r");

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        uncomment(line);
        ck_assert_uint_lt(strlen(text) + strlen(line), sizeof text);
        strcat(text, line);
    }
    (void)fclose(file);
    write_file(path, text, strlen(text));
    ck_assert_msg(ts_config_load(&config, path, error, sizeof error) == TS_OK, "%s", error);
    ck_assert_str_eq(config->peer.name, "phone");
    ck_assert_ptr_nonnull(config->hsm);
    ck_assert_uint_eq(config->threads, 4);
    ck_assert_uint_eq(config->timeout.approval, 60000);
    ts_config_free(config);
}
END_TEST

START_TEST(places_state)
{
    struct ts_config *config;
    char wanted[128];

    config = load_good("");
    if (geteuid() == 0)
        (void)snprintf(wanted, sizeof wanted, "/var/lib/tallystick/token.db");
    else
        (void)snprintf(wanted, sizeof wanted, "%s/.local/state/tallystick/token.db", folder);
    ck_assert_str_eq(config->store, wanted);
    ts_config_free(config);

    ck_assert_int_eq(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
    config = load_good("");
    ck_assert_str_eq(config->store, "/xdg/tallystick/token.db");
    ck_assert_str_eq(config->peer.store, "/xdg/tallystick/peer.db");
    ts_config_free(config);

    ck_assert_int_eq(setenv("XDG_STATE_HOME", "relative", 1), 0);
    config = load_good("");
    ck_assert_str_eq(config->store, wanted);
    ts_config_free(config);
}
END_TEST

START_TEST(finds_the_file)
{
    struct ts_config *config;
    char error[256], wanted[512], missing[128], deep[128], user[160];

    /* nothing anywhere is no error */
    ck_assert_int_eq(ts_config_load(&config, NULL, error, sizeof error), TS_OK);
    ck_assert_str_eq(error, "");
    ts_config_free(config);

    /* but a file that somebody named must be there */
    (void)snprintf(missing, sizeof missing, "%s/none.yaml", folder);
    (void)snprintf(wanted, sizeof wanted, "%s: cannot be opened: No such file or directory", missing);
    ck_assert_int_eq(setenv("TALLYSTICK_CONF", missing, 1), 0);
    ck_assert_int_eq(ts_config_load(&config, NULL, error, sizeof error), TS_USAGE);
    ck_assert_str_eq(error, wanted);

    /* an explicit path wins over the variable */
    write_file(path, "threads: 2\n", 11);
    ck_assert_int_eq(ts_config_load(&config, path, error, sizeof error), TS_OK);
    ck_assert_str_eq(config->path, path);
    ts_config_free(config);

    ck_assert_int_eq(setenv("TALLYSTICK_CONF", path, 1), 0);
    ck_assert_int_eq(ts_config_load(&config, NULL, error, sizeof error), TS_OK);
    ck_assert_str_eq(config->path, path);
    ts_config_free(config);
    (void)unsetenv("TALLYSTICK_CONF");

    (void)snprintf(deep, sizeof deep, "%s/tallystick", folder);
    (void)snprintf(user, sizeof user, "%s/tallystick.yaml", deep);
    ck_assert_int_eq(mkdir(deep, 0700), 0);
    write_file(user, "threads: 5\n", 11);
    ck_assert_int_eq(setenv("XDG_CONFIG_HOME", folder, 1), 0);
    ck_assert_int_eq(ts_config_load(&config, NULL, error, sizeof error), TS_OK);
    ck_assert_str_eq(config->path, user);
    ck_assert_uint_eq(config->threads, 5);
    ts_config_free(config);
    (void)unlink(user);
    (void)rmdir(deep);
}
END_TEST

START_TEST(refuses_odd_files)
{
    static char large[70000];
    struct ts_config *config;
    char error[256], wanted[512];

    (void)snprintf(wanted, sizeof wanted, "%s: is not a regular file", folder);
    ck_assert_int_eq(ts_config_load(&config, folder, error, sizeof error), TS_USAGE);
    ck_assert_str_eq(error, wanted);
    ck_assert_int_eq(ts_config_load(&config, "/dev/zero", error, sizeof error), TS_USAGE);
    ck_assert_str_eq(error, "/dev/zero: is not a regular file");

    memset(large, '#', sizeof large);
    write_file(path, large, sizeof large);
    (void)snprintf(wanted, sizeof wanted, "%s: is larger than 65535 bytes", path);
    ck_assert_int_eq(ts_config_load(&config, path, error, sizeof error), TS_USAGE);
    ck_assert_str_eq(error, wanted);

    memset(large, 'a', sizeof large);
    memcpy(large, "store: /", 8);
    write_file(path, large, 5000);
    (void)snprintf(wanted, sizeof wanted, "%s:1: store: a value has at most 4096 bytes", path);
    ck_assert_int_eq(ts_config_load(&config, path, error, sizeof error), TS_USAGE);
    ck_assert_str_eq(error, wanted);

    write_file(path, "store: /a\0b\n", 12);
    ck_assert_int_eq(ts_config_load(&config, path, error, sizeof error), TS_USAGE);
    ck_assert_ptr_nonnull(strstr(error, ":1: not valid YAML: "));
    write_file(path, "peer: {name: \"a\\0b\"}\n", 21);
    (void)snprintf(wanted, sizeof wanted, "%s:1: peer.name: a NUL byte is not allowed", path);
    ck_assert_int_eq(ts_config_load(&config, path, error, sizeof error), TS_USAGE);
    ck_assert_str_eq(error, wanted);
}
END_TEST

START_TEST(keeps_within_the_message_room)
{
    struct ts_config *config;
    char error[16] = "0123456789abcde";

    write_file(path, "foo: 1\n", 7);
    ck_assert_int_eq(ts_config_load(&config, path, error, 8), TS_USAGE);
    ck_assert_uint_eq(strlen(error), 7);
    ck_assert_str_eq(error + 8, "89abcde");
    ck_assert_int_eq(ts_config_load(&config, path, NULL, 0), TS_USAGE);
}
END_TEST

START_TEST(logs_where_told)
{
    struct ts_config *config;
    struct ts_env env = {0};
    char text[128], log[80], line[256];
    FILE *file;

    (void)snprintf(log, sizeof log, "%s/log", folder);
    (void)snprintf(text, sizeof text, "log: {to: %s, level: warning}\n", log);
    config = load_good(text);
    ts_config_log(&env.log, config);
    ts_log(&env, TS_LOG_INFO, "not wanted");
    ts_log(&env, TS_LOG_WARNING, "wanted");
    file = fopen(log, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_ptr_nonnull(strstr(line, "warning: wanted\n"));
    ck_assert_ptr_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    (void)unlink(log);
    ts_config_free(config);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, refuses, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, reads_every_key);
    tcase_add_test(tests, fills_in_defaults);
    tcase_add_test(tests, the_example_is_true);
    tcase_add_test(tests, places_state);
    tcase_add_test(tests, finds_the_file);
    tcase_add_test(tests, refuses_odd_files);
    tcase_add_test(tests, keeps_within_the_message_room);
    tcase_add_test(tests, logs_where_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
