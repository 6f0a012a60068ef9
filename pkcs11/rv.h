#ifndef TS_PKCS11_RV_H
#define TS_PKCS11_RV_H

#include "base/env.h"
#include "pkcs11/cryptoki.h"

/** The one table from our errors to Cryptoki's. Source: docs, "Errors". */
CK_RV ts_rv(enum ts_error error);

/** The same, with a log line beside it when it is a failure: what was tried, with which key or token, what to do. */
CK_RV ts_rv_log(const struct ts_env *env, enum ts_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
