#include "server/program.h"

#include "config.h"

#include <getopt.h>
#include <stdio.h>

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

static const struct ts_program program = {"tallystick-server", "Keys and signatures of two parties over HTTP.",
    "  -c, --config FILE   instead of $TALLYSTICK_CONF and the default places\n"
    "  -h, --help\n"
    "  -V, --version\n",
    commands, sizeof commands / sizeof *commands};

static void
write_log(void *ctx, enum ts_log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    (void)ctx;
    (void)fprintf(stderr, "tallystick-server: %s: %s\n", names[level], line);
}

/* Options before the command. Returns: true to go on; else *code is the exit code. */
static bool
read_options(struct ts_server *server, int argc, char **argv, int *code)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    int option;

    *code = TS_EXIT_OK;
    while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            server->config_path = optarg;
            break;
        case 'h':
            ts_command_help(&program);
            return false;
        case 'V':
            (void)printf("tallystick-server %s\n", PACKAGE_VERSION);
            return false;
        default:
            *code = TS_EXIT_USAGE;
            return false;
        }
    }
    if (optind < argc)
        return true;
    *code = ts_complain_usage(program.name, NULL, "a command is missing");
    return false;
}

int
ts_server_main(int argc, char **argv)
{
    struct ts_server server = {0};
    int code = TS_EXIT_FAILURE;

    if (ts_env_init(&server.env) != TS_OK)
        return ts_complain("OpenSSL's library cannot be used");
    server.env.log = (struct ts_log){NULL, TS_LOG_WARNING, write_log};
    if (read_options(&server, argc, argv, &code)) {
        int first = optind;
        optind = 0; /* the subcommand reads its own options */
        code = ts_command_run(&program, &server, argc - first, argv + first);
    }
    ts_server_close(&server);
    ts_env_clear(&server.env);
    if (fflush(stdout) != 0 && code == TS_EXIT_OK)
        code = ts_complain("standard output cannot be written");
    return code;
}
