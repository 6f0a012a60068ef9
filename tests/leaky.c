/* Loses memory on purpose: shows that tests/e2e_leaks.sh would see a leak. */
#include <stdlib.h>

int
main(void)
{
    volatile char *lost = malloc(100);

    lost[0] = 1;
    lost = NULL;
    return lost != NULL;
}
