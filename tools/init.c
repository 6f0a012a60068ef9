#include "tools/tool.h"
#include "session/config_place.h"
#include "session/prime_fill.h"
#include "session/secret_ask.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *label, *name, *so_source, *user_source, *primes;
    uint32_t bits; /**< 0: as configured */
    bool no_primes;
};

static int
read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"label", required_argument, NULL, 'l'},
        {"name", required_argument, NULL, 'n'}, {"so-pin-source", required_argument, NULL, 'S'},
        {"pin-source", required_argument, NULL, 'P'}, {"bits", required_argument, NULL, 'b'},
        {"no-primes", no_argument, NULL, 'N'}, {"primes", required_argument, NULL, 'F'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "l:n:S:P:b:", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            out->label = optarg;
            break;
        case 'n':
            out->name = optarg;
            break;
        case 'S':
            out->so_source = optarg;
            break;
        case 'P':
            out->user_source = optarg;
            break;
        case 'N':
            out->no_primes = true;
            break;
        case 'F':
            out->primes = optarg;
            break;
        case 'b':
            out->bits = (uint32_t)strtoul(optarg, NULL, 10);
            if (out->bits != 2048 && out->bits != 3072 && out->bits != 4096)
                return ts_complain_usage("tallystick", "init", "--bits must be 2048, 3072 or 4096");
            break;
        default:
            return TS_EXIT_USAGE;
        }
    }
    if (optind < argc)
        return ts_complain_usage("tallystick", "init", "\"%s\" is one argument too many", argv[optind]);
    if (!out->label || !*out->label || strlen(out->label) > TS_LABEL_BYTES)
        return ts_complain_usage("tallystick", "init", "--label must name the token, in 1 to 32 bytes");
    return TS_EXIT_OK;
}

static int
prepare_hsm(const struct ts_tool *tool)
{
    enum ts_error error = ts_enterprise_prepare_hsm(tool->enterprise);

    if (error == TS_OK)
        return TS_EXIT_OK;
    if (error == TS_USAGE)
        return ts_complain("no HSM is configured; set hsm: to its PKCS#11 URI in %s",
            tool->config->path ? tool->config->path : "tallystick.yaml");
    if (error == TS_NOT_FOUND)
        return ts_complain("the HSM has no key as hsm: says, but tokens in %s depend on one; nothing was changed. "
                           "Restore the HSM's key, or correct hsm:",
            tool->config->store);
    return ts_tool_failed("the HSM's key", error, "see the lines above");
}

/* The token's row, made under a new SO PIN when there is none of that label. */
static enum ts_error
make_token(struct ts_token_row *out, const struct ts_tool *tool, const struct arguments *arguments)
{
    struct ts_store *store = ts_enterprise_store(tool->enterprise);
    struct ts_buf pin;
    uint64_t id;
    enum ts_error error = ts_tool_token(out, tool, arguments->label);

    if (error != TS_NOT_FOUND)
        return error;
    ts_buf_init_secret(&pin, TS_PIN_MAX);
    error = ts_secret_ask(&pin, &tool->env, arguments->so_source, "SO PIN", true);
    if (error == TS_OK) {
        error = ts_token_create(&id, store, ts_enterprise_hsm(tool->enterprise), arguments->label, pin.data, pin.len);
        if (error == TS_OK)
            error = ts_token_get(out, store, id);
        if (error != TS_OK)
            (void)ts_tool_failed("the token cannot be made", error, "");
        else
            (void)printf("token \"%s\" made, serial %s\n", out->label, out->serial);
    }
    ts_buf_clear(&pin);
    return error;
}

/* A keyring of the token, with a user PIN set when there was none. */
static enum ts_error
set_user_pin(struct ts_keyring **out, const struct ts_tool *tool, const struct ts_token_row *token,
    const struct arguments *arguments)
{
    struct ts_buf pin;
    enum ts_error error = ts_tool_unlock(out, tool, token, TS_USER_SO, arguments->so_source);

    if (error != TS_OK)
        return error;
    ts_buf_init_secret(&pin, TS_PIN_MAX);
    error = ts_secret_ask(&pin, &tool->env, arguments->user_source, "user PIN", true);
    if (error == TS_OK) {
        error = ts_token_set_pin(ts_enterprise_store(tool->enterprise), ts_enterprise_hsm(tool->enterprise), token->id,
            *out, TS_USER, pin.data, pin.len);
        if (error != TS_OK)
            (void)ts_tool_failed("the user PIN cannot be set", error, "");
    }
    ts_buf_clear(&pin);
    return error;
}

static enum ts_error
prepare_token(const struct ts_tool *tool, uint64_t token, const struct ts_keyring *keyring, const char *name)
{
    char *host = name ? NULL : ts_place_host_name();
    enum ts_error error =
        name || host ? ts_enterprise_prepare_token(tool->enterprise, token, keyring, name ? name : host) : TS_INTERNAL;

    free(host);
    if (error != TS_OK)
        (void)ts_tool_failed("the token's identity cannot be made", error, "");
    return error;
}

static enum ts_error
set_up(const struct ts_tool *tool, const struct arguments *arguments)
{
    struct ts_token_row token;
    struct ts_keyring *keyring = NULL;
    uint32_t bits = arguments->bits ? arguments->bits : tool->config->modulus_bits;
    enum ts_error error = make_token(&token, tool, arguments);

    if (error == TS_OK)
        error = token.user_pin_set ? ts_tool_unlock(&keyring, tool, &token, TS_USER, arguments->user_source)
                                   : set_user_pin(&keyring, tool, &token, arguments);
    if (error == TS_OK)
        error = prepare_token(tool, token.id, keyring, arguments->name);
    if (error == TS_OK && (arguments->primes || !arguments->no_primes))
        error = ts_prime_fill(&tool->env, ts_enterprise_store(tool->enterprise), keyring, token.id, bits,
            arguments->primes, tool->config->threads);
    ts_keyring_free(keyring);
    if (error == TS_OK)
        (void)printf(
            "token \"%s\" is ready; next: `tallystick pair URI` with what `tallystick-peer uri` shows\n", token.label);
    return error;
}

int
ts_tool_init(void *ctx, int argc, char **argv)
{
    struct ts_tool *tool = ctx;
    struct arguments arguments = {0};
    int code = read_arguments(&arguments, argc, argv);

    if (code == TS_EXIT_OK)
        code = ts_tool_open(tool);
    if (code == TS_EXIT_OK)
        code = prepare_hsm(tool);
    if (code == TS_EXIT_OK)
        code = set_up(tool, &arguments) == TS_OK ? TS_EXIT_OK : TS_EXIT_FAILURE;
    return code;
}
