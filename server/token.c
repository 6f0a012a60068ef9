#include "server/program.h"

#include "base/secret.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_BYTES 32

static int
print_token(struct ts_server *server)
{
    uint8_t random[TOKEN_BYTES], hash[32];
    char token[2 * TOKEN_BYTES + 1], digits[65];
    size_t len = 0;
    int code = TS_EXIT_FAILURE;

    if (ts_random(&server->env, random, sizeof random) != TS_OK)
        return ts_complain("the random generator fails");
    ts_text_hex(token, random, sizeof random);
    if (EVP_Q_digest(server->env.libctx, "SHA256", NULL, token, strlen(token), hash, &len) == 1) {
        ts_text_hex(digits, hash, sizeof hash);
        (void)printf(
            "token for the caller, shown only now:  %s\nfor the configuration, token:          %s\n", token, digits);
        code = TS_EXIT_OK;
    }
    ts_wipe(random, sizeof random);
    ts_wipe(token, sizeof token);
    return code;
}

int
ts_server_token(void *ctx, int argc, char **argv)
{
    if (argc > 1)
        return ts_complain_usage("tallystick-server", "token", "\"%s\" is one argument too many", argv[1]);
    return print_token(ctx);
}

int
ts_server_check(void *ctx, int argc, char **argv)
{
    struct ts_server *server = ctx;

    if (argc > 1)
        return ts_complain_usage("tallystick-server", "check", "\"%s\" is one argument too many", argv[1]);
    int code = ts_server_configure(server);
    if (code != TS_EXIT_OK)
        return code;
    const struct ts_config *config = server->config;
    (void)printf("listens on %s, role %s\n", config->server.listen, config->role ? config->role : "enterprise");
    if (!config->server.certificate || !config->server.key || !config->server.pin)
        return ts_complain("server: certificate:, key: and pin: are needed");
    for (unsigned i = 0; i < config->server.callers_count; i++) {
        const struct ts_config_caller *caller = &config->server.callers[i];
        (void)printf("%s:%s", caller->name, caller->allow_count ? "" : " nothing");
        for (unsigned j = 0; j < caller->allow_count; j++)
            (void)printf(" %s", caller->allow[j]);
        (void)printf("\n");
    }
    if (config->server.callers_count == 0)
        (void)printf("no callers: everything is denied\n");
    return TS_EXIT_OK;
}
