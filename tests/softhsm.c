#include "tests/softhsm.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
find_module(struct softhsm *hsm)
{
    const char *places[] = {getenv("SOFTHSM2_MODULE"), "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!places[i] || access(places[i], R_OK) != 0)
            continue;
        (void)snprintf(hsm->module, sizeof hsm->module, "%s", places[i]);
        return true;
    }
    return false;
}

/* Run a program without output. Returns: true when it exits with 0. */
static bool
run(const char *const arguments[])
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        union {
            const char *const *in;
            char *const *out;
        } list = {arguments};
        int sink = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(sink, STDIN_FILENO);
        (void)dup2(sink, STDOUT_FILENO);
        (void)dup2(sink, STDERR_FILENO);
        (void)execvp(arguments[0], list.out);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
write_configuration(const struct softhsm *hsm)
{
    char path[128], tokens[128];

    softhsm_path(path, sizeof path, hsm, "softhsm2.conf");
    softhsm_path(tokens, sizeof tokens, hsm, "tokens");
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    bool written =
        fprintf(file, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens) > 0;
    return fclose(file) == 0 && written && mkdir(tokens, 0700) == 0 && setenv("SOFTHSM2_CONF", path, 1) == 0;
}

bool
softhsm_start(struct softhsm *hsm)
{
    const char *const arguments[] = {"softhsm2-util", "--init-token", "--free", "--label", SOFTHSM_TOKEN, "--pin",
        SOFTHSM_PIN, "--so-pin", SOFTHSM_SO_PIN, NULL};
    const char *base = getenv("TMPDIR");

    *hsm = (struct softhsm){0};
    if (!find_module(hsm))
        return false;
    (void)snprintf(hsm->dir, sizeof hsm->dir, "%s/tallystick-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
    if (!mkdtemp(hsm->dir))
        return false;
    if (write_configuration(hsm) && run(arguments))
        return true;
    softhsm_stop(hsm);
    return false;
}

static int
remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void
remove_tree(const char *dir)
{
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void
softhsm_stop(struct softhsm *hsm)
{
    if (hsm->dir[0])
        remove_tree(hsm->dir);
    (void)unsetenv("SOFTHSM2_CONF");
    hsm->dir[0] = 0;
}

void
softhsm_path(char *out, size_t size, const struct softhsm *hsm, const char *name)
{
    (void)snprintf(out, size, "%s/%s", hsm->dir, name);
}

void
softhsm_uri(char *out, size_t size, const struct softhsm *hsm, const char *key, const char *pin)
{
    (void)snprintf(out, size, "pkcs11:token=%s;object=%s;type=secret-key?module-path=%s&%s", SOFTHSM_TOKEN, key,
        hsm->module, pin ? pin : "pin-value=" SOFTHSM_PIN);
}

bool
softhsm_make_key(const struct softhsm *hsm, const char *key, const char *option)
{
    const char *const arguments[] = {"pkcs11-tool", "--module", hsm->module, "--token-label", SOFTHSM_TOKEN, "--login",
        "--pin", SOFTHSM_PIN, "--keygen", "--key-type", "AES:32", "--label", key, option, NULL};

    return run(arguments);
}

bool
softhsm_delete_key(const struct softhsm *hsm, const char *key)
{
    const char *const arguments[] = {"pkcs11-tool", "--module", hsm->module, "--token-label", SOFTHSM_TOKEN, "--login",
        "--pin", SOFTHSM_PIN, "--delete-object", "--type", "secrkey", "--label", key, NULL};

    return run(arguments);
}
