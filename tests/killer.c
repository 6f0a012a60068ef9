/* Preloaded into an unchanged program by tests/e2e_kill.sh: kill -9 at the Nth point where the program is about to send
   to the other side or make the database durable, or has just done so. Points are counted while the file named by
   TS_KILL_ARMED exists (always, when unset). */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t send(int socket, const void *bytes, size_t len, int flags);
int fdatasync(int fd);

static atomic_long passed;

static void
point(void)
{
    const char *at = getenv("TS_KILL_AT"), *armed = getenv("TS_KILL_ARMED");

    if (!at || (armed && access(armed, F_OK) != 0))
        return;
    if (atomic_fetch_add(&passed, 1) + 1 == strtol(at, NULL, 10))
        (void)kill(getpid(), SIGKILL);
}

__attribute__((visibility("default"))) ssize_t
send(int socket, const void *bytes, size_t len, int flags)
{
    point();
    ssize_t sent = sendto(socket, bytes, len, flags, NULL, 0);
    point();
    return sent;
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

    point();
    int result = real(fd);
    point();
    return result;
}
