#include "pkcs11/errors.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

struct ts_host_error {
    unsigned long code;
    int line;
    char *file, *function, *data;
};

static void
error_free(struct ts_host_error *error)
{
    free(error->file);
    free(error->function);
    free(error->data);
    free(error);
}

static struct ts_host_error *
error_copy(unsigned long code, const char *file, int line, const char *function, const char *data)
{
    struct ts_host_error *error = malloc(sizeof(*error));

    if (!error)
        return NULL;
    *error = (struct ts_host_error){code, line, strdup(file), strdup(function), strdup(data)};
    if (error->file && error->function && error->data)
        return error;
    error_free(error);
    return NULL;
}

void
ts_host_errors_put_aside(struct ts_host_errors *errors)
{
    const char *file, *function, *data;
    unsigned long code;
    int line, flags;

    while ((code = ERR_get_error_all(&file, &line, &function, &data, &flags)) != 0) {
        struct ts_host_error *error =
            errors->count < TS_HOST_ERRORS_MAX ? error_copy(code, file, line, function, data) : NULL;
        if (error)
            errors->items[errors->count++] = error;
    }
}

void
ts_host_errors_put_back(struct ts_host_errors *errors)
{
    ERR_clear_error();
    for (size_t i = 0; i < errors->count; i++) {
        struct ts_host_error *error = errors->items[i];
        ERR_new();
        ERR_set_debug(error->file, error->line, error->function);
        ERR_set_error(ERR_GET_LIB(error->code), ERR_GET_REASON(error->code), error->data[0] ? "%s" : NULL, error->data);
        error_free(error);
    }
    errors->count = 0;
    (void)ERR_set_mark();
}
