#include "server/module_internal.h"

#include "base/secret.h"
#include "store/pin_source.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static enum ts_error
failed(const struct ts_module *module, const char *what, CK_RV rv)
{
    ts_log(module->env, TS_LOG_ERROR, "%s: the PKCS#11 module answers 0x%lx; see its own log", what, rv);
    switch (rv) {
    case CKR_PIN_INCORRECT:
        return TS_PIN_INCORRECT;
    case CKR_PIN_LOCKED:
        return TS_PIN_LOCKED;
    case CKR_HOST_MEMORY:
        return TS_INTERNAL;
    default:
        return TS_IO;
    }
}

static enum ts_error
load(struct ts_module *module, const char *path)
{
    CK_C_GetInterface get = NULL;
    CK_INTERFACE *interface = NULL;
    CK_VERSION version = {3, 0};
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};

    module->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module->library) {
        ts_log(module->env, TS_LOG_ERROR, "the PKCS#11 module cannot be loaded: %s", dlerror());
        return TS_USAGE;
    }
    *(void **)&get = dlsym(module->library, "C_GetInterface");
    if (!get || get((CK_UTF8CHAR *)"PKCS 11", &version, &interface, 0) != CKR_OK) {
        ts_log(module->env, TS_LOG_ERROR, "%s does not speak PKCS#11 3.0: it is not tallystick's module", path);
        return TS_USAGE;
    }
    module->p11 = interface->pFunctionList;
    CK_RV rv = module->p11->C_Initialize(&arguments);
    module->initialized = rv == CKR_OK;
    return module->initialized ? TS_OK : failed(module, "C_Initialize", rv);
}

static bool
has_label(const struct ts_module *module, CK_SLOT_ID slot, const char *label)
{
    CK_TOKEN_INFO info;
    size_t len = strlen(label);

    if (module->p11->C_GetTokenInfo(slot, &info) != CKR_OK || len > sizeof(info.label) ||
        memcmp(info.label, label, len) != 0)
        return false;
    for (size_t i = len; i < sizeof(info.label); i++)
        if (info.label[i] != ' ')
            return false;
    return true;
}

#define SLOTS_MAX 256

/* The token by its label; without one there must be one alone that has been set up. */
static enum ts_error
find_token(struct ts_module *module, const char *label)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX, found = 0;
    CK_TOKEN_INFO info;

    CK_RV rv = module->p11->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv != CKR_OK)
        return failed(module, "C_GetSlotList", rv);
    for (CK_ULONG i = 0; i < count; i++) {
        bool fits =
            label ? has_label(module, slots[i], label)
                  : module->p11->C_GetTokenInfo(slots[i], &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0;
        if (!fits)
            continue;
        module->slot = slots[i];
        found++;
    }
    if (found == 1)
        return TS_OK;
    ts_log(module->env, TS_LOG_ERROR, "%lu tokens named \"%s\"; set server: token: to the label of one", found,
        label ? label : "(any)");
    return TS_USAGE;
}

static enum ts_error
open_session(struct ts_module *module, CK_SESSION_HANDLE *session)
{
    CK_RV rv = module->p11->C_OpenSession(module->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);

    return rv == CKR_OK ? TS_OK : failed(module, "C_OpenSession", rv);
}

static enum ts_error
log_in(struct ts_module *module, const char *source)
{
    struct ts_buf pin;

    if (!source) {
        ts_log(module->env, TS_LOG_ERROR, "server: pin: is missing: where the user's PIN of the token comes from");
        return TS_USAGE;
    }
    ts_buf_init_secret(&pin, TS_PIN_MAX);
    enum ts_error error = ts_pin_source_read(&pin, module->env, source);
    if (error == TS_OK) {
        CK_RV rv = module->p11->C_Login(module->ask, CKU_USER, pin.data, pin.len);
        error = rv == CKR_OK ? TS_OK : failed(module, "C_Login", rv);
    }
    ts_buf_clear(&pin);
    return error;
}

enum ts_error
ts_module_open(struct ts_module **out, const struct ts_module_options *options)
{
    struct ts_module *module = calloc(1, sizeof *module + options->sessions * sizeof(CK_SESSION_HANDLE));

    *out = NULL;
    if (!module)
        return TS_INTERNAL;
    module->env = options->env;
    if (pthread_mutex_init(&module->lock, NULL) != 0) {
        free(module);
        return TS_INTERNAL;
    }
    enum ts_error error = load(module, options->path);
    if (error == TS_OK)
        error = find_token(module, options->token);
    if (error == TS_OK)
        error = open_session(module, &module->ask);
    for (; error == TS_OK && module->count < options->sessions; module->count++)
        error = open_session(module, &module->sessions[module->count]);
    if (error == TS_OK)
        error = log_in(module, options->pin);
    if (error != TS_OK) {
        ts_module_close(module);
        return error;
    }
    *out = module;
    return TS_OK;
}

void
ts_module_close(struct ts_module *module)
{
    if (!module)
        return;
    if (module->initialized)
        (void)module->p11->C_Finalize(NULL);
    if (module->library)
        (void)dlclose(module->library);
    (void)pthread_mutex_destroy(&module->lock);
    free(module);
}

uint64_t
ts_module_token(const struct ts_module *module)
{
    return module->slot;
}

bool
ts_module_ready(struct ts_module *module)
{
    CK_SESSION_INFO info;

    return module->p11->C_GetSessionInfo(module->ask, &info) == CKR_OK && info.state == CKS_RW_USER_FUNCTIONS;
}

bool
ts_module_cancel(struct ts_module *module, unsigned worker)
{
    return module->p11->C_SessionCancel(module->sessions[worker], CKF_SIGN | CKF_GENERATE_KEY_PAIR) == CKR_OK;
}
