#include "tests/pkcs11/module.h"

#include "store/store.h"
#include "tests/softhsm.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

CK_FUNCTION_LIST *p11;
CK_FUNCTION_LIST_3_0 *p11_3;

static struct softhsm hsm;
static void *library;

const char *
module_path(const char *name)
{
    static char path[256];

    softhsm_path(path, sizeof(path), &hsm, name);
    return path;
}

static const char *
library_path(void)
{
    static char path[512];
    const char *set = getenv("TS_PKCS11_MODULE");
    const char *build = getenv("TS_BUILDDIR");

    (void)snprintf(path, sizeof(path), "%s/pkcs11/.libs/tallystick-pkcs11.so", build ? build : ".");
    return set ? set : path;
}

static void
write_configuration(bool with_hsm)
{
    char uri[512];

    softhsm_uri(uri, sizeof(uri), &hsm, "seal", NULL);
    FILE *file = fopen(module_path("tallystick.yaml"), "w");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "store: %s/token.db\n", hsm.dir);
    if (with_hsm)
        (void)fprintf(file, "hsm: \"%s\"\n", uri);
    (void)fprintf(file, "log:\n  to: %s/log\ntimeout:\n  connect: 500ms\n", hsm.dir);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(setenv("TALLYSTICK_CONF", module_path("tallystick.yaml"), 1), 0);
}

static void
in_child(void (*work)(void))
{
    int status = -1;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        work();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child process failed: %#x", (unsigned)status);
}

/* A child of a fixture is no test: a failed step ends it with a status. */
static void
must(CK_RV rv)
{
    if (rv != CKR_OK) {
        (void)fprintf(stderr, "set-up: rv %#lx\n", rv);
        _exit(1);
    }
}

static void
make_token(void)
{
    CK_UTF8CHAR label[32];
    CK_SESSION_HANDLE session = 0;

    module_load();
    memset(label, ' ', sizeof(label));
    memcpy(label, MODULE_LABEL, strlen(MODULE_LABEL));
    must(p11->C_Initialize(NULL));
    must(p11->C_InitToken(1, BYTES(MODULE_SO_PIN), strlen(MODULE_SO_PIN), label));
    must(p11->C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    must(p11->C_Login(session, CKU_SO, BYTES(MODULE_SO_PIN), strlen(MODULE_SO_PIN)));
    must(p11->C_InitPIN(session, BYTES(MODULE_PIN), strlen(MODULE_PIN)));
    must(p11->C_Finalize(NULL));
    module_unload();
}

void
module_setup(void)
{
    ck_assert(softhsm_start(&hsm));
    write_configuration(true);
    in_child(make_token);
}

void
module_setup_empty(void)
{
    ck_assert(softhsm_start(&hsm));
    write_configuration(false);
}

void
module_teardown(void)
{
    softhsm_stop(&hsm);
}

void
module_load(void)
{
    CK_C_GetFunctionList get_list = NULL;
    CK_C_GetInterface get_interface = NULL;
    CK_INTERFACE *interface = NULL;
    CK_VERSION version = {3, 0};

    library = dlopen(library_path(), RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    *(void **)&get_interface = dlsym(library, "C_GetInterface");
    ck_assert_ptr_nonnull(*(void **)&get_list);
    ck_assert_ptr_nonnull(*(void **)&get_interface);
    ck_rv(get_list(&p11), CKR_OK);
    ck_rv(get_interface(NULL, &version, &interface, 0), CKR_OK);
    p11_3 = interface->pFunctionList;
}

void
module_unload(void)
{
    ck_assert_int_eq(dlclose(library), 0);
    library = NULL;
}

void
module_start(void)
{
    module_load();
    make_vectors();
    ck_rv(p11->C_Initialize(NULL), CKR_OK);
}

void
module_stop(void)
{
    ck_rv(p11->C_Finalize(NULL), CKR_OK);
    module_unload();
}

static CK_SESSION_HANDLE
open_with(CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = 0;

    ck_rv(p11->C_OpenSession(1, CKF_SERIAL_SESSION | flags, NULL, NULL, &session), CKR_OK);
    return session;
}

CK_SESSION_HANDLE
open_rw(void)
{
    return open_with(CKF_RW_SESSION);
}

CK_SESSION_HANDLE
open_ro(void)
{
    return open_with(0);
}

CK_SESSION_HANDLE
open_user(void)
{
    CK_SESSION_HANDLE session = open_rw();

    ck_rv(p11->C_Login(session, CKU_USER, BYTES(MODULE_PIN), strlen(MODULE_PIN)), CKR_OK);
    return session;
}

CK_ULONG
count_matching(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_OBJECT_HANDLE found[64];
    CK_ULONG got = 0;

    ck_rv(p11->C_FindObjectsInit(session, template, count), CKR_OK);
    ck_rv(p11->C_FindObjects(session, found, 64, &got), CKR_OK);
    ck_rv(p11->C_FindObjectsFinal(session), CKR_OK);
    return got;
}

CK_OBJECT_HANDLE
find_class(CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof(object_class)}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG got = 0;

    ck_rv(p11->C_FindObjectsInit(session, template, 1), CKR_OK);
    ck_rv(p11->C_FindObjects(session, &found, 1, &got), CKR_OK);
    ck_rv(p11->C_FindObjectsFinal(session), CKR_OK);
    return got == 1 ? found : 0;
}

/* --- a key without a peer that answers --- */

CK_BYTE p256_oid[10] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
CK_BYTE p256_point[67];
CK_BYTE p256_signature[64];
CK_BYTE p256_signature_abc[64];

/* DER ECDSA-Sig-Value with short lengths to r || s. */
static void
signature_from_der(CK_BYTE out[64], const uint8_t *der)
{
    const uint8_t *at = der + 2;

    memset(out, 0, 64);
    for (int i = 0; i < 2; i++) {
        size_t len = at[1], skip = len > 32 ? len - 32 : 0;
        memcpy(out + 32 * i + 32 - (len - skip), at + 2 + skip, len - skip);
        at += 2 + len;
    }
}

static void
sign_with(CK_BYTE out[64], EVP_PKEY *key, const uint8_t *digest)
{
    uint8_t der[80];
    size_t len = sizeof(der);
    EVP_PKEY_CTX *signer = EVP_PKEY_CTX_new(key, NULL);

    ck_assert_int_eq(EVP_PKEY_sign_init(signer), 1);
    ck_assert_int_eq(EVP_PKEY_sign(signer, der, &len, digest, 32), 1);
    signature_from_der(out, der);
    EVP_PKEY_CTX_free(signer);
}

void
make_vectors(void)
{
    uint8_t digest[32];
    size_t len = 0;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "prime256v1");

    p256_point[0] = 0x04;
    p256_point[1] = 65;
    ck_assert_int_eq(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, p256_point + 2, 65, &len), 1);
    for (size_t i = 0; i < sizeof(digest); i++)
        digest[i] = (uint8_t)i;
    sign_with(p256_signature, key, digest);
    ck_assert_int_eq(EVP_Q_digest(NULL, "SHA256", NULL, "abc", 3, digest, &len), 1);
    sign_with(p256_signature_abc, key, digest);
    EVP_PKEY_free(key);
}

static struct ts_attribute
attribute(CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    return (struct ts_attribute){.type = type, .value = (uint8_t *)value, .len = len};
}

static void
put_key(struct ts_store *store, const struct ts_keyring *keyring)
{
    static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    static const CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    static const CK_KEY_TYPE ec = CKK_EC;
    uint64_t id = 0;
    struct ts_half_row half = {.generation = 1, .token = 1, .curve = "P-256", .public_key_len = 65};
    struct ts_peer_row peer = {
        .token = 1, .name = "nobody", .address = "127.0.0.1:1", .bits = 2048, .state = TS_PEER_ACTIVE};

    memset(half.key, 7, sizeof(half.key));
    memset(half.pairing, 8, sizeof(half.pairing));
    memcpy(peer.pairing, half.pairing, sizeof(peer.pairing));
    memcpy(half.public_key, p256_point + 2, 65);
    half.state = TS_HALF_ACTIVE;
    const struct ts_attribute attributes[] = {
        attribute(CKA_CLASS, &private_key, sizeof(private_key)),
        attribute(CKA_TOKEN, &yes, 1),
        attribute(CKA_PRIVATE, &yes, 1),
        attribute(CKA_LABEL, MODULE_KEY_LABEL, strlen(MODULE_KEY_LABEL)),
        attribute(CKA_KEY_TYPE, &ec, sizeof(ec)),
        attribute(CKA_SIGN, &yes, 1),
        attribute(CKA_SENSITIVE, &yes, 1),
        attribute(CKA_EXTRACTABLE, &no, 1),
        attribute(CKA_EC_PARAMS, p256_oid, sizeof(p256_oid)),
        attribute(CKA_EC_POINT, p256_point, sizeof(p256_point)),
        attribute(CKA_TALLYSTICK_KEY, half.key, sizeof(half.key)),
    };
    must(ts_peer_put(store, keyring, &peer, (const uint8_t *)"nothing", 7));
    must(ts_half_put(store, keyring, &half, (const uint8_t *)"no half", 7));
    must(ts_object_put(&id, store, keyring, 1, attributes, sizeof(attributes) / sizeof(attributes[0])));
}

static void
make_key(void)
{
    struct ts_env env;
    struct ts_store *store = NULL;
    struct ts_hsm *seal = NULL;
    struct ts_keyring *keyring = NULL;
    char uri[512];

    make_vectors();
    must(ts_env_init(&env));
    softhsm_uri(uri, sizeof(uri), &hsm, "seal", NULL);
    must(ts_hsm_new(&seal, &(struct ts_hsm_options){&env, uri}));
    must(ts_store_open(&store, &env, module_path("token.db")));
    must(ts_token_unlock(&keyring, store, seal, 1, TS_USER, BYTES(MODULE_PIN), strlen(MODULE_PIN)));
    put_key(store, keyring);
    ts_keyring_free(keyring);
    ts_store_close(store);
    ts_hsm_free(seal);
    ts_env_clear(&env);
}

static void
lock_key(void)
{
    struct ts_env env;
    struct ts_store *store = NULL;
    uint8_t key[TS_ID_BYTES];

    memset(key, 7, sizeof(key));
    must(ts_env_init(&env));
    must(ts_store_open(&store, &env, module_path("token.db")));
    must(ts_half_lock(store, key, "a test"));
    ts_store_close(store);
    ts_env_clear(&env);
}

void
module_make_key(void)
{
    in_child(make_key);
}

void
module_lock_key(void)
{
    in_child(lock_key);
}

bool
module_half_is_gone(void)
{
    struct ts_env env;
    struct ts_store *store = NULL;
    struct ts_half_row row;
    uint8_t key[TS_ID_BYTES];

    memset(key, 7, sizeof(key));
    ck_assert_int_eq(ts_env_init(&env), TS_OK);
    ck_assert_int_eq(ts_store_open(&store, &env, module_path("token.db")), TS_OK);
    enum ts_error err = ts_half_get(&row, store, key, true);
    ts_store_close(store);
    ts_env_clear(&env);
    return err == TS_NOT_FOUND;
}
