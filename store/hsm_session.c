#include "store/hsm_session.h"

#include "base/secret.h"
#include "store/pin_source.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <p11-kit/p11-kit.h>

/* More slots than any HSM shows to one application. */
#define SLOTS_MAX 1024
/* A token may be away for a moment: SoftHSM2 empties and rewrites its file when any process logs in, and whoever looks
   just then sees none. First pause and number of further looks, each pause twice as long: 620 ms in all. */
#define AWAY_PAUSE_MS 20
#define AWAY_LOOKS 5

static bool
is_lost(CK_RV rv)
{
    switch (rv) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
        return true;
    }
    return false;
}

enum ts_error
ts_hsm_failed(struct ts_hsm *hsm, const char *call, CK_RV rv)
{
    hsm->lost = is_lost(rv);
    ts_log(hsm->env, TS_LOG_ERROR, "HSM: %s failed: %s (0x%lx)", call, p11_kit_strerror(rv), rv);
    return TS_IO;
}

/* --- the module --- */

/* The file of a module that p11-kit knows by name. All registered modules are loaded for this, not initialised, and let
   go again; one of them may be our own. */
static char *
registered_path(const char *name)
{
    char *path = NULL;
    CK_FUNCTION_LIST **modules = p11_kit_modules_load(NULL, P11_KIT_MODULE_UNMANAGED);

    if (!modules)
        return NULL;
    CK_FUNCTION_LIST *module = p11_kit_module_for_name(modules, name);
    if (module)
        path = p11_kit_module_get_filename(module);
    p11_kit_modules_release(modules);
    return path;
}

static enum ts_error
load_path(struct ts_hsm *hsm, const char *path)
{
    CK_FUNCTION_LIST *module = p11_kit_module_load(path, 0);

    if (!module) {
        const char *why = p11_kit_message();
        ts_log(hsm->env, TS_LOG_ERROR, "HSM: module %s cannot be loaded: %s; check module-path in its URI", path,
            why ? why : "unknown reason");
        return TS_IO;
    }
    CK_RV rv = p11_kit_module_initialize(module);
    if (rv != CKR_OK) {
        p11_kit_module_release(module);
        return ts_hsm_failed(hsm, "C_Initialize", rv);
    }
    hsm->module = module;
    return TS_OK;
}

static enum ts_error
load_module(struct ts_hsm *hsm)
{
    const char *path = p11_kit_uri_get_module_path(hsm->uri);
    const char *name = p11_kit_uri_get_module_name(hsm->uri);

    if (path)
        return load_path(hsm, path);
    char *found = registered_path(name);
    if (!found) {
        ts_log(hsm->env, TS_LOG_ERROR, "HSM: p11-kit knows no module %s with a file; see p11-kit list-modules", name);
        return TS_IO;
    }
    enum ts_error result = load_path(hsm, found);
    free(found);
    return result;
}

/* --- the token --- */

static bool
slot_matches(const struct ts_hsm *hsm, CK_SLOT_ID slot)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(hsm->uri);
    CK_TOKEN_INFO token;
    CK_SLOT_INFO info;

    return (wanted == (CK_SLOT_ID)-1 || wanted == slot) && hsm->module->C_GetSlotInfo(slot, &info) == CKR_OK &&
           p11_kit_uri_match_slot_info(hsm->uri, &info) && hsm->module->C_GetTokenInfo(slot, &token) == CKR_OK &&
           p11_kit_uri_match_token_info(hsm->uri, &token);
}

static enum ts_error
choose_slot(CK_SLOT_ID *out, struct ts_hsm *hsm)
{
    CK_SLOT_ID *slots = NULL;
    CK_ULONG count = SLOTS_MAX, matches = 0;

    slots = calloc(SLOTS_MAX, sizeof *slots);
    if (!slots)
        return TS_INTERNAL;
    CK_RV rv = hsm->module->C_GetSlotList(CK_TRUE, slots, &count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        if (!slot_matches(hsm, slots[i]))
            continue;
        *out = slots[i];
        matches++;
    }
    free(slots);
    if (rv != CKR_OK)
        return ts_hsm_failed(hsm, "C_GetSlotList", rv);
    if (matches > 1)
        ts_log(hsm->env, TS_LOG_ERROR, "HSM: several tokens fit the URI; check token, serial and manufacturer in it");
    hsm->away = matches == 0;
    return matches == 1 ? TS_OK : TS_IO;
}

/* --- login --- */

static enum ts_error
get_pin(struct ts_buf *pin, const struct ts_hsm *hsm)
{
    const char *source = p11_kit_uri_get_pin_source(hsm->uri);

    if (source)
        return ts_pin_source_read(pin, hsm->env, source);
    return ts_buf_put(pin, hsm->pin_value.data, hsm->pin_value.len) == TS_OK ? TS_OK : TS_INTERNAL;
}

static bool
was_refused(const struct ts_hsm *hsm, const struct ts_buf *pin)
{
    return hsm->refused_pin.len > 0 && hsm->refused_pin.len == pin->len &&
           ts_equal(hsm->refused_pin.data, pin->data, pin->len);
}

static enum ts_error
log_in_with(struct ts_hsm *hsm, const struct ts_buf *pin)
{
    if (was_refused(hsm, pin)) {
        ts_log(
            hsm->env, TS_LOG_ERROR, "HSM: its PIN was refused before and is not tried again; correct the PIN source");
        return TS_IO;
    }
    CK_RV rv = hsm->module->C_Login(hsm->session, CKU_USER, pin->data, pin->len);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return TS_OK;
    hsm->away = rv == CKR_GENERAL_ERROR || rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_TOKEN_NOT_RECOGNIZED;
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID) {
        ts_buf_clear(&hsm->refused_pin);
        (void)ts_buf_put(&hsm->refused_pin, pin->data, pin->len);
    }
    return ts_hsm_failed(hsm, "C_Login", rv);
}

static enum ts_error
log_in(struct ts_hsm *hsm)
{
    struct ts_buf pin;

    ts_buf_init_secret(&pin, TS_PIN_MAX);
    enum ts_error result = get_pin(&pin, hsm);
    if (result == TS_OK)
        result = log_in_with(hsm, &pin);
    ts_buf_clear(&pin);
    return result;
}

/* --- all of it --- */

static void
close_session(struct ts_hsm *hsm)
{
    if (hsm->session != CK_INVALID_HANDLE)
        (void)hsm->module->C_CloseSession(hsm->session);
    hsm->session = CK_INVALID_HANDLE;
    hsm->key = CK_INVALID_HANDLE;
}

void
ts_hsm_disconnect(struct ts_hsm *hsm)
{
    if (!hsm->module)
        return;
    close_session(hsm);
    (void)p11_kit_module_finalize(hsm->module);
    p11_kit_module_release(hsm->module);
    hsm->module = NULL;
}

static enum ts_error
open_session(struct ts_hsm *hsm, bool writable)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
    CK_SLOT_ID slot = 0;

    enum ts_error result = choose_slot(&slot, hsm);
    if (result != TS_OK)
        return result;
    CK_RV rv = hsm->module->C_OpenSession(slot, flags, NULL, NULL, &hsm->session);
    if (rv != CKR_OK) {
        hsm->session = CK_INVALID_HANDLE;
        return ts_hsm_failed(hsm, "C_OpenSession", rv);
    }
    hsm->writable = writable;
    result = log_in(hsm);
    if (result != TS_OK)
        close_session(hsm);
    return result;
}

static enum ts_error
connect_once(struct ts_hsm *hsm, bool writable)
{
    hsm->away = false;
    enum ts_error result = hsm->module ? TS_OK : load_module(hsm);
    if (result == TS_OK) {
        close_session(hsm);
        result = open_session(hsm, writable);
    }
    /* With nothing open there is no reason to keep the module; the next use starts from the beginning. */
    if (result != TS_OK)
        ts_hsm_disconnect(hsm);
    return result;
}

static void
pause_ms(long ms)
{
    struct timespec left = {.tv_nsec = ms * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

enum ts_error
ts_hsm_connect(struct ts_hsm *hsm, bool writable)
{
    hsm->lost = false;
    if (hsm->session != CK_INVALID_HANDLE && (hsm->writable || !writable))
        return TS_OK;
    enum ts_error result = connect_once(hsm, writable);
    for (int look = 0; result != TS_OK && hsm->away && look < AWAY_LOOKS; look++) {
        pause_ms(AWAY_PAUSE_MS << look);
        result = connect_once(hsm, writable);
    }
    if (result != TS_OK && hsm->away)
        ts_log(hsm->env, TS_LOG_ERROR,
            "HSM: no token fits the URI, or it does not answer; check token, serial and manufacturer in it");
    return result;
}
