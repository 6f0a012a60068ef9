/* A token's life with libpkcs11-helper, step by step as OpenVPN goes: tokens, certificates, the name of one and back, the key behind it
   by PKCS#11 and by OpenSSL, before and after a fork. MODULE, TOKEN and PIN in the environment; signs the file "letter".
   Leaves helper.der (the certificate) and helper.sig. */
#include <pkcs11-helper-1.0/pkcs11h-certificate.h>
#include <pkcs11-helper-1.0/pkcs11h-core.h>
#include <pkcs11-helper-1.0/pkcs11h-openssl.h>
#include <pkcs11-helper-1.0/pkcs11h-token.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define FIELD 32

static unsigned asked;

static void
must(int good, const char *what)
{
    if (good)
        return;
    printf("failed: %s\n", what);
    exit(1);
}

static void
must_rv(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    printf("failed: %s: %s\n", what, pkcs11h_getMessage(rv));
    exit(1);
}

static PKCS11H_BOOL
give_pin(void *const global, void *const user, const pkcs11h_token_id_t token, const unsigned retry, char *const pin,
    const size_t room)
{
    (void)global;
    (void)user;
    (void)token;
    asked++;
    (void)snprintf(pin, room, "%s", getenv("PIN"));
    return retry == 0;
}

static PKCS11H_BOOL
no_token(void *const global, void *const user, const pkcs11h_token_id_t token, const unsigned retry)
{
    (void)global;
    (void)user;
    (void)retry;
    printf("the token %s is gone\n", token->label);
    return 0;
}

static void
begin(void)
{
    must_rv(pkcs11h_initialize(), "pkcs11h_initialize");
    must_rv(pkcs11h_setPINPromptHook(give_pin, NULL), "pkcs11h_setPINPromptHook");
    must_rv(pkcs11h_setTokenPromptHook(no_token, NULL), "pkcs11h_setTokenPromptHook");
    must_rv(pkcs11h_setMaxLoginRetries(1), "pkcs11h_setMaxLoginRetries");
    must_rv(pkcs11h_setForkMode(1), "pkcs11h_setForkMode"); /* a child initialises the module for itself */
    must_rv(pkcs11h_addProvider("tallystick", getenv("MODULE"), 0, 0, PKCS11H_SLOTEVENT_METHOD_AUTO, 0, 0),
        "pkcs11h_addProvider");
}

static void
find_token(void)
{
    pkcs11h_token_id_list_t tokens = NULL;
    int found = 0;

    must_rv(pkcs11h_token_enumTokenIds(PKCS11H_ENUM_METHOD_RELOAD, &tokens), "pkcs11h_token_enumTokenIds");
    for (pkcs11h_token_id_list_t token = tokens; token; token = token->next)
        found += strcmp(token->token_id->label, getenv("TOKEN")) == 0;
    must(found == 1, "the token is in the list once");
    must_rv(pkcs11h_token_freeTokenIdList(tokens), "pkcs11h_token_freeTokenIdList");
}

/* The only certificate: its name in letters, as a configuration file would have it, and back. */
static pkcs11h_certificate_t
find_certificate(void)
{
    pkcs11h_certificate_id_list_t issuers = NULL, ends = NULL;
    pkcs11h_certificate_id_t id = NULL;
    pkcs11h_certificate_t certificate = NULL;
    char name[1024];
    size_t room = sizeof name;

    must_rv(pkcs11h_certificate_enumCertificateIds(
                PKCS11H_ENUM_METHOD_RELOAD, NULL, PKCS11H_PROMPT_MASK_ALLOW_ALL, &issuers, &ends),
        "pkcs11h_certificate_enumCertificateIds");
    must(ends && !ends->next && !issuers, "there is one certificate, of no authority");
    must_rv(pkcs11h_certificate_serializeCertificateId(name, &room, ends->certificate_id), "to letters");
    printf("certificate %s\n", name);
    must_rv(pkcs11h_certificate_freeCertificateIdList(ends), "pkcs11h_certificate_freeCertificateIdList");
    must_rv(pkcs11h_certificate_deserializeCertificateId(&id, name), "and back");
    must_rv(
        pkcs11h_certificate_create(id, NULL, PKCS11H_PROMPT_MASK_ALLOW_ALL, PKCS11H_PIN_CACHE_INFINITE, &certificate),
        "pkcs11h_certificate_create");
    must_rv(pkcs11h_certificate_freeCertificateId(id), "pkcs11h_certificate_freeCertificateId");
    return certificate;
}

static void
write_file(const char *name, const unsigned char *data, size_t len)
{
    FILE *file = fopen(name, "wb");

    must(file && fwrite(data, 1, len, file) == len && fclose(file) == 0, name);
}

static X509 *
read_certificate(pkcs11h_certificate_t certificate)
{
    unsigned char der[4096];
    const unsigned char *at = der;
    size_t len = sizeof der;

    must_rv(pkcs11h_certificate_getCertificateBlob(certificate, NULL, &len), "the certificate's length");
    must(len <= sizeof der, "a short certificate");
    must_rv(pkcs11h_certificate_getCertificateBlob(certificate, der, &len), "the certificate");
    write_file("helper.der", der, len);
    X509 *x509 = d2i_X509(NULL, &at, (long)len);
    must(x509 != NULL, "d2i_X509");
    return x509;
}

/* CKM_ECDSA: r and s, checked with the certificate's key. */
static void
sign_digest(pkcs11h_certificate_t certificate, X509 *x509)
{
    unsigned char digest[32], raw[2 * FIELD], *der = NULL;
    size_t len = 0;

    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] = (unsigned char)i;
    must_rv(pkcs11h_certificate_signAny(certificate, CKM_ECDSA, digest, sizeof digest, NULL, &len), "the length");
    must(len == sizeof raw, "a signature of two numbers");
    must_rv(pkcs11h_certificate_signAny(certificate, CKM_ECDSA, digest, sizeof digest, raw, &len), "a signature");
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    must(numbers && ECDSA_SIG_set0(numbers, BN_bin2bn(raw, FIELD, NULL), BN_bin2bn(raw + FIELD, FIELD, NULL)), "r, s");
    int der_len = i2d_ECDSA_SIG(numbers, &der);
    EVP_PKEY_CTX *checker = EVP_PKEY_CTX_new(X509_get0_pubkey(x509), NULL);
    must(EVP_PKEY_verify_init(checker) == 1 &&
             EVP_PKEY_verify(checker, der, (size_t)der_len, digest, sizeof digest) == 1,
        "the signature verifies");
    digest[0] ^= 1;
    must(EVP_PKEY_verify(checker, der, (size_t)der_len, digest, sizeof digest) == 0, "another digest's does not");
    EVP_PKEY_CTX_free(checker);
    ECDSA_SIG_free(numbers);
    OPENSSL_free(der);
}

/* The key as OpenSSL's. Takes the certificate over. */
static void
sign_letter(pkcs11h_certificate_t certificate)
{
    unsigned char letter[1024], signature[2 * FIELD + 16];
    size_t signature_len = sizeof signature;
    FILE *file = fopen("letter", "rb");
    size_t len = file ? fread(letter, 1, sizeof letter, file) : 0;

    must(len > 0 && fclose(file) == 0, "letter");
    pkcs11h_openssl_session_t session = pkcs11h_openssl_createSession(certificate);
    EVP_PKEY *key = session ? pkcs11h_openssl_session_getEVP(session) : NULL;
    EVP_MD_CTX *signer = EVP_MD_CTX_new();
    must(key && EVP_DigestSignInit(signer, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(signer, signature, &signature_len, letter, len) == 1,
        "OpenSSL signs with the token's key");
    write_file("helper.sig", signature, signature_len);
    EVP_MD_CTX_free(signer);
    EVP_PKEY_free(key);
    pkcs11h_openssl_freeSession(session);
}

static void
sign_in_child(pkcs11h_certificate_t certificate, X509 *x509)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        sign_digest(certificate, x509);
        (void)fflush(stdout);
        _exit(0);
    }
    must(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
        "a child of a fork signs");
}

int
main(void)
{
    begin();
    find_token();
    pkcs11h_certificate_t certificate = find_certificate();
    X509 *x509 = read_certificate(certificate);
    sign_digest(certificate, x509);
    must(asked == 1, "the PIN was asked for once");
    sign_in_child(certificate, x509);
    sign_digest(certificate, x509);
    must(asked == 1, "and not again");
    sign_letter(certificate);
    X509_free(x509);
    must_rv(pkcs11h_logout(), "pkcs11h_logout");
    must_rv(pkcs11h_terminate(), "pkcs11h_terminate");
    printf("done\n");
    return 0;
}
