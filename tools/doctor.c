#include "tools/calls.h"
#include "tools/report.h"
#include "tools/tool.h"

#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_BYTES 512

struct arguments {
    const char *token, *source;
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"token", required_argument, NULL, 't'}, {"pin-source", required_argument, NULL, 'P'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "t:P:", options, NULL)) != -1) {
        switch (option) {
        case 't':
            out->token = optarg;
            break;
        case 'P':
            out->source = optarg;
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return ts_complain_usage("tallystick", "doctor", "\"%s\" is one argument too many", argv[optind]);
    return TS_EXIT_OK;
}

static void __attribute__((format(printf, 2, 3))) well(const char *what, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)printf("ok     %-14s ", what);
    (void)vprintf(format, arguments);
    (void)printf("\n");
    va_end(arguments);
}

/* Returns: false, so that a check can end with it. The format's last words say what to do. */
static bool __attribute__((format(printf, 2, 3))) wrong(const char *what, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)printf("WRONG  %-14s ", what);
    (void)vprintf(format, arguments);
    (void)printf("\n");
    va_end(arguments);
    return false;
}

static bool
check_configuration(struct ts_tool *tool)
{
    char message[MESSAGE_BYTES] = "";
    enum ts_error error = ts_config_load(&tool->config, tool->config_path, message, sizeof message);

    if (error != TS_OK)
        return wrong("configuration", "%s; correct it (tallystick.yaml(5))", *message ? message : ts_error_text(error));
    if (!tool->config->path)
        return wrong("configuration",
            "there is none; copy tallystick.yaml.example to " TS_SYSCONFDIR "/tallystick.yaml and set hsm:");
    well("configuration", "%s", tool->config->path);
    return true;
}

/* Opening would make a store: look first. */
static bool
check_store(struct ts_tool *tool)
{
    const char *path = tool->config->store;
    struct stat entry;
    enum ts_error error;

    if (stat(path, &entry) != 0)
        return wrong(
            "store", "%s: %s; make it with `tallystick init --label NAME`, or correct store:", path, strerror(errno));
    if ((entry.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return wrong("store", "%s may be read or written by others; run `chmod 600` on it", path);
    if (access(path, R_OK | W_OK) != 0)
        return wrong("store", "%s: %s; run as its owner", path, strerror(errno));
    error = ts_enterprise_open(&tool->enterprise, &tool->env, tool->config);
    if (error == TS_USAGE)
        return wrong("HSM", "hsm: in %s does not name token, object and module; complete it", tool->config->path);
    if (error != TS_OK)
        return wrong("store", "%s: %s; restore it from a backup", path, ts_error_text(error));
    well("store", "%s", path);
    return true;
}

static bool
check_hsm(const struct ts_tool *tool)
{
    bool good = true;
    const char *words = ts_calls_hsm(&good, tool);

    if (!good)
        return wrong("HSM", "%s", words);
    well("HSM", "its key is there and usable");
    return true;
}

static const char *
member(const json_t *object, const char *name)
{
    const char *out = json_string_value(json_object_get(object, name));

    return out ? out : "";
}

static bool
check_peers(const json_t *token)
{
    const char *label = member(token, "label");
    const json_t *peer;
    size_t i, active = 0;
    bool good = true;

    json_array_foreach(json_object_get(token, "peers"), i, peer)
    {
        const char *name = member(peer, "name"), *reachable = member(peer, "reachable");
        if (strcmp(member(peer, "state"), "active") != 0)
            continue;
        active++;
        if (*reachable && strcmp(reachable, "reachable") != 0)
            good = wrong("peer", "\"%s\" at %s: %s; see that `tallystick-peer run` runs there and its address is right",
                name, member(peer, "address"), reachable);
        else
            well("peer", "token \"%s\", \"%s\" at %s%s", label, name, member(peer, "address"),
                *reachable ? ": reachable" : "; not called without --pin-source");
    }
    if (active == 0)
        good = wrong("peer",
            "token \"%s\" is paired with none; run `tallystick-peer uri` there and `tallystick pair` "
            "here",
            label);
    return good;
}

static bool
check_keys(const json_t *token)
{
    const json_t *keys = json_object_get(token, "keys"), *key;
    size_t i;
    bool good = true;

    json_array_foreach(keys, i, key) if (json_is_true(json_object_get(key, "locked"))) good =
        wrong("key", "\"%s\" is locked: %s; make a new key and find out what the peer did", member(key, "label"),
            member(key, "lock_reason"));
    if (good)
        well("keys", "token \"%s\": %zu, none locked", member(token, "label"), json_array_size(keys));
    return good;
}

static bool
check_token(const json_t *token)
{
    const char *label = member(token, "label");
    bool good = true;

    if (!json_is_true(json_object_get(token, "user_pin_set")))
        good = wrong("token", "\"%s\" has no user PIN; run `tallystick init --label '%s'`", label, label);
    else if (json_integer_value(json_object_get(token, "user_tries_left")) == 0)
        good = wrong("token",
            "the user PIN of \"%s\" is locked; the SO sets a new one (`pkcs11-tool --login "
            "--login-type so --init-pin`)",
            label);
    else
        well("token", "\"%s\", serial %s", label, member(token, "serial"));
    if (json_integer_value(json_object_get(token, "so_tries_left")) == 0)
        good = wrong("token", "the SO PIN of \"%s\" is locked; a locked user PIN can no longer be reset", label);
    good = check_peers(token) && good;
    return check_keys(token) && good;
}

static bool
check_tokens(const struct ts_tool *tool, const struct arguments *arguments)
{
    json_t *tokens = ts_report_tokens(tool, arguments->token), *token;
    bool good = true;
    size_t i;

    if (!tokens)
        return wrong("token", "the list cannot be read; see the line above");
    if (json_array_size(tokens) == 0)
        good = wrong("token", "there is none; make one with `tallystick init --label NAME`");
    else if (arguments->source)
        good = ts_calls_peers(tool, tokens, arguments->token, arguments->source);
    json_array_foreach(tokens, i, token) good = check_token(token) && good;
    json_decref(tokens);
    return good;
}

/* Programs find the module by p11-kit's list; the file it names must load in a process like theirs. */
static bool
check_registration(void)
{
    const char *file = TS_P11_MODULES "/tallystick-pkcs11.so", *list = TS_P11_CONFIGS "/tallystick.module";
    bool good = true;
    void *module;

    if (access(list, R_OK) != 0)
        good = wrong("p11-kit", "%s: %s; run `make install`, or install the package again", list, strerror(errno));
    module = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return wrong("module", "%s; run `make install`, or install the package again", dlerror());
    if (!dlsym(module, "C_GetFunctionList"))
        good = wrong("module", "%s is no PKCS#11 module; install the package again", file);
    (void)dlclose(module);
    if (good)
        well("p11-kit", "%s, %s", list, file);
    return good;
}

int
ts_tool_doctor(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);
    bool good;

    if (code != TS_EXIT_OK)
        return code;
    good = check_configuration(tool);
    if (tool->config && check_store(tool)) {
        good = check_hsm(tool) && good;
        good = check_tokens(tool, &arguments) && good;
    } else {
        good = false;
    }
    good = check_registration() && good;
    (void)printf(good ? "nothing is wrong\n" : "something is wrong; begin with the first such line\n");
    return good ? TS_EXIT_OK : TS_EXIT_FAILURE;
}
