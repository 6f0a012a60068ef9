#include "base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* Under AddressSanitizer the leak search has to know these pages: what they point to is not lost. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define SHOW_TO_LEAK_SEARCH(place, size) __lsan_register_root_region(place, size)
#define HIDE_FROM_LEAK_SEARCH(place, size) __lsan_unregister_root_region(place, size)
#else
#define SHOW_TO_LEAK_SEARCH(place, size) ((void)0)
#define HIDE_FROM_LEAK_SEARCH(place, size) ((void)0)
#endif

/* In front of each block, so that it can be erased whole. */
struct head {
    size_t mapped;
    size_t pad;
};

static size_t
page_round(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

void *
ts_secret_new(size_t size)
{
    if (size == 0 || size > (size_t)1 << 30)
        return NULL;
    size_t mapped = page_round(size + sizeof(struct head));
    struct head *head = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (head == MAP_FAILED)
        return NULL;
    /* Each of these is best effort: an unprivileged process may lock only a little memory. */
    (void)mlock(head, mapped);
    (void)madvise(head, mapped, MADV_DONTDUMP);
    (void)madvise(head, mapped, MADV_WIPEONFORK);
    SHOW_TO_LEAK_SEARCH(head, mapped);
    head->mapped = mapped;
    return head + 1;
}

void
ts_secret_free(void *memory)
{
    if (!memory)
        return;
    struct head *head = (struct head *)memory - 1;
    size_t mapped = head->mapped;
    if (mapped == 0)
        return; /* a forked child: the pages are zero here, their size unknown */
    OPENSSL_cleanse(head, mapped);
    HIDE_FROM_LEAK_SEARCH(head, mapped);
    (void)munmap(head, mapped);
}

void
ts_wipe(void *memory, size_t size)
{
    if (memory)
        OPENSSL_cleanse(memory, size);
}

bool
ts_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
