#include "pkcs11/slack.h"

#include <stdlib.h>

/* Of an OSSL_PARAM list with the point of a 256-, 384-, 521-bit curve, and of the list of curve parameters. */
static const size_t sizes[] = {152, 184, 216, 264};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

void
ts_slack_clear(struct ts_slack *slack)
{
    for (size_t i = 0; i < TS_SLACK_BLOCKS; i++)
        free(slack->blocks[i]);
    *slack = (struct ts_slack){0};
}

void
ts_slack_take(struct ts_slack *slack)
{
    ts_slack_clear(slack);
    for (size_t i = 0; i < TS_SLACK_BLOCKS; i++)
        slack->blocks[i] = malloc(sizes[i % SIZES]);
}
