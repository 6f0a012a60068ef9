#include "tests/check_main.h"
#include "transport/lookup.h"
#include "transport/wait.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The resolver of these tests: it answers for names that begin with "stuck" only when it is let, for "known" at once. */
static sem_t let;
static atomic_int asked;

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    resolver real = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");

    if (hints->ai_flags & AI_NUMERICHOST)
        return real(host, service, hints, out);
    atomic_fetch_add(&asked, 1);
    if (strncmp(host, "stuck", 5) == 0)
        while (sem_wait(&let) != 0)
            ;
    else if (strcmp(host, "known") != 0)
        return EAI_NONAME;
    return real("192.0.2.7", service, hints, out);
}

static struct ts_env env;
static struct ts_lookups *lookups;
static char lines[4096];

static void
keep_line(void *ctx, enum ts_log_level level, const char *line)
{
    size_t used = strlen(lines);

    (void)ctx;
    (void)level;
    (void)snprintf(lines + used, sizeof lines - used, "%s\n", line);
}

static void
set_up(void)
{
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    env.log = (struct ts_log){NULL, TS_LOG_DEBUG, keep_line};
    lines[0] = 0;
    atomic_store(&asked, 0);
    ck_assert_int_eq(sem_init(&let, 0, 0), 0);
    ck_assert_int_eq(ts_lookups_new(&lookups, &env), TS_OK);
}

static void
let_go(int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(sem_post(&let), 0);
}

/* Waits for the threads that were left. */
static void
tear_down(void)
{
    ts_lookups_free(lookups);
    ck_assert_int_eq(sem_destroy(&let), 0);
    ts_env_clear(&env);
}

/* Returns: what the lookup did; the answer must be the one that the resolver gives, with the port. */
static enum ts_error
look(struct ts_lookups *with, const char *host, uint64_t deadline_ms, const struct ts_stop *stop)
{
    struct addrinfo *list = NULL;
    char text[INET_ADDRSTRLEN];

    enum ts_error error = ts_lookup(&list, with, &env, host, 4711, deadline_ms, stop);
    if (error != TS_OK) {
        ck_assert_ptr_null(list);
        return error;
    }
    const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)list->ai_addr;
    ck_assert_int_eq(address->sin_family, AF_INET);
    ck_assert_str_eq(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text), "192.0.2.7");
    ck_assert_uint_eq(ntohs(address->sin_port), 4711);
    freeaddrinfo(list);
    return TS_OK;
}

static uint64_t
soon(void)
{
    return ts_now_ms(&env) + 20;
}

START_TEST(a_name_is_found)
{
    ck_assert_int_eq(look(lookups, "known", TS_NO_DEADLINE, NULL), TS_OK);
    ck_assert_int_eq(look(NULL, "known", TS_NO_DEADLINE, NULL), TS_OK);
    ck_assert_int_eq(atomic_load(&asked), 2);
}
END_TEST

START_TEST(a_number_needs_no_resolver)
{
    ck_assert_int_eq(look(lookups, "192.0.2.7", 0, NULL), TS_OK);
    ck_assert_int_eq(look(NULL, "192.0.2.7", 0, NULL), TS_OK);
    ck_assert_int_eq(atomic_load(&asked), 0);
}
END_TEST

START_TEST(an_unknown_name_is_told)
{
    ck_assert_int_eq(look(lookups, "nowhere", TS_NO_DEADLINE, NULL), TS_IO);
    ck_assert_ptr_nonnull(strstr(lines, "'nowhere': Name or service not known; check the name and the resolver"));
    lines[0] = 0;
    ck_assert_int_eq(look(NULL, "nowhere", TS_NO_DEADLINE, NULL), TS_IO);
    ck_assert_ptr_nonnull(strstr(lines, "'nowhere': Name or service not known"));
}
END_TEST

START_TEST(the_deadline_holds)
{
    ck_assert_int_eq(look(lookups, "stuck", soon(), NULL), TS_IO);
    ck_assert_ptr_nonnull(strstr(lines, "'stuck': the resolver has not answered in time; check the name and the res"));
    /* the question is still open: nobody asks it again */
    ck_assert_int_eq(look(lookups, "stuck", soon(), NULL), TS_IO);
    ck_assert_int_eq(atomic_load(&asked), 1);
    /* and others are not in its way */
    ck_assert_int_eq(look(lookups, "known", TS_NO_DEADLINE, NULL), TS_OK);
    let_go(2); /* it ends before the next look, or that waits for it: then one is left over */
    ck_assert_int_eq(look(lookups, "stuck", TS_NO_DEADLINE, NULL), TS_OK);
}
END_TEST

START_TEST(a_stop_ends_the_wait)
{
    atomic_bool stopped = true;
    struct ts_stop stop = {eventfd(1, EFD_CLOEXEC), &stopped};

    ck_assert_int_ge(stop.fd, 0);
    ck_assert_int_eq(look(lookups, "stuck", TS_NO_DEADLINE, &stop), TS_IO);
    ck_assert_ptr_nonnull(strstr(lines, "'stuck': the wait was given up"));
    ck_assert_int_eq(close(stop.fd), 0);
    let_go(1);
}
END_TEST

START_TEST(threads_are_bounded)
{
    char host[32];

    for (int i = 0; i < TS_LOOKUPS_MAX; i++) {
        (void)snprintf(host, sizeof host, "stuck%d", i);
        ck_assert_int_eq(look(lookups, host, soon(), NULL), TS_IO);
        lines[0] = 0;
    }
    ck_assert_int_eq(look(lookups, "known", TS_NO_DEADLINE, NULL), TS_IO);
    ck_assert_ptr_nonnull(strstr(lines, "too many names are being looked up"));
    ck_assert_int_eq(look(lookups, "192.0.2.7", 0, NULL), TS_OK);
    let_go(TS_LOOKUPS_MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("lookup");
    TCase *tests = tcase_create("lookup");

    tcase_set_timeout(tests, 30); /* a wait without its end is the fault that is looked for here */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_name_is_found);
    tcase_add_test(tests, a_number_needs_no_resolver);
    tcase_add_test(tests, an_unknown_name_is_told);
    tcase_add_test(tests, the_deadline_holds);
    tcase_add_test(tests, a_stop_ends_the_wait);
    tcase_add_test(tests, threads_are_bounded);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
