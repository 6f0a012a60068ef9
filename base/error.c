#include "base/error.h"

const char *
ts_error_text(enum ts_error error)
{
    switch (error) {
    case TS_OK:
        return "success";
    case TS_USAGE:
        return "wrong use";
    case TS_FORMAT:
        return "malformed data";
    case TS_IO:
        return "unreachable";
    case TS_TIMEOUT:
        return "no answer in time";
    case TS_REFUSED:
        return "refused";
    case TS_CHEATED:
        return "a check failed";
    case TS_LOCKED:
        return "key is locked";
    case TS_STORAGE:
        return "storage failure";
    case TS_INTERNAL:
        return "internal error";
    case TS_NOT_FOUND:
        return "not found";
    case TS_EXISTS:
        return "exists already";
    case TS_PIN_INCORRECT:
        return "PIN incorrect";
    case TS_PIN_LOCKED:
        return "PIN locked";
    case TS_INCAPABLE:
        return "not among the capabilities";
    }
    return "unknown error";
}
