#include "server/program.h"

/* The one table of subcommands. */
static const struct ts_command commands[] = {
    {"run", "[options]", "Serve until SIGTERM or SIGINT; SIGHUP reads callers and certificates again.",
        "      --listen ADDRESS    host:port; default: server: listen: of the configuration\n"
        "      --log TO            syslog, stderr or a path; default: log: to: of the configuration\n"
        "      --ready-fd N        write the address to this descriptor when listening\n"
        "Sockets that systemd passes are used instead of an address.\n",
        ts_server_run},
    {"check", "", "Read the configuration and say what callers may do.", "", ts_server_check},
    {"token", "", "Make a bearer token for a caller, and the hash for the configuration.", "", ts_server_token},
};

static const struct ts_program program = {
    "tallystick-server", "Keys and signatures of two parties over HTTP.", commands, sizeof commands / sizeof *commands};

static void
clear(void *ctx)
{
    ts_server_close(ctx);
}

int
ts_server_main(int argc, char **argv)
{
    struct ts_server server = {0};

    return ts_command_main(&program, &server.env, &server.config_path, &server, clear, argc, argv);
}
