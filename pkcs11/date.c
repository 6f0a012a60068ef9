#include "pkcs11/date.h"

#include <string.h>

static unsigned
number(const uint8_t *digits, size_t count)
{
    unsigned value = 0;

    for (size_t i = 0; i < count; i++)
        value = 10 * value + (unsigned)(digits[i] - '0');
    return value;
}

static unsigned
days_of(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

bool
ts_date_valid(const uint8_t *value, size_t len)
{
    if (len == 0)
        return true;
    if (len != sizeof(CK_DATE))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return false;
    }
    unsigned month = number(value + 4, 2), day = number(value + 6, 2);
    return month >= 1 && month <= 12 && day >= 1 && day <= days_of(number(value, 4), month);
}

static const struct ts_attribute *
date_of(const struct ts_attrs *first, const struct ts_attrs *then, CK_ATTRIBUTE_TYPE type)
{
    const struct ts_attribute *date = ts_attrs_find(first, type);

    if (!date && then)
        date = ts_attrs_find(then, type);
    return date && date->len == sizeof(CK_DATE) ? date : NULL;
}

bool
ts_dates_contradict(const struct ts_attrs *first, const struct ts_attrs *then)
{
    const struct ts_attribute *start = date_of(first, then, CKA_START_DATE);
    const struct ts_attribute *end = date_of(first, then, CKA_END_DATE);

    return start && end && memcmp(start->value, end->value, sizeof(CK_DATE)) > 0;
}
