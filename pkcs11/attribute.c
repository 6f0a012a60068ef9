#include "pkcs11/attribute.h"

#define D TS_CLASS_DATA
#define C TS_CLASS_CERTIFICATE
#define P TS_CLASS_PUBLIC
#define K TS_CLASS_PRIVATE
#define F TS_CLASS_PROFILE

#define BOOL TS_KIND_BOOL
#define ULONG TS_KIND_ULONG
#define BYTES TS_KIND_BYTES
#define DATE TS_KIND_DATE
#define MECHS TS_KIND_MECHANISMS

/* Private keys are never created from outside, so that CREATE matters to the other classes only. */
#define NEW (TS_WHEN_CREATE | TS_WHEN_GENERATE)
#define CHOICE (NEW | TS_WHEN_COPY)
#define FREE (CHOICE | TS_WHEN_SET)
#define FIXED 0

#define DEF TS_RULE_DEFAULT
#define MUST TS_RULE_MUST_CREATE
#define NO (TS_RULE_DEFAULT | TS_RULE_ONLY_FALSE)
#define YES (TS_RULE_DEFAULT | TS_RULE_ONLY_TRUE)

/* A use that no mechanism of this token has (decryption, wrapping, ...) cannot be asked for: the key would lie.
   CKA_DERIVE is the exception: pkcs11-tool asks for it whenever no usage is given, and deriving itself is refused. */
static const struct ts_rule rules[] = {
    /* every object */
    {CKA_CLASS, D | C | P | K | F, ULONG, NEW, MUST, 0},
    {CKA_TOKEN, D | C | P | K | F, BOOL, CHOICE, DEF, CK_FALSE},
    {CKA_PRIVATE, D | C | P | F, BOOL, CHOICE, DEF, CK_FALSE},
    {CKA_PRIVATE, K, BOOL, CHOICE, YES, CK_TRUE},
    {CKA_LABEL, D | C | P | K | F, BYTES, FREE, DEF, 0},
    {CKA_MODIFIABLE, D | C | P | K | F, BOOL, CHOICE, DEF, CK_TRUE},
    {CKA_COPYABLE, D | C | P | K | F, BOOL, FREE, DEF | TS_RULE_STICKY_FALSE, CK_TRUE},
    {CKA_DESTROYABLE, D | C | P | K | F, BOOL, CHOICE, DEF, CK_TRUE},
    {CKA_UNIQUE_ID, D | C | P | K | F, BYTES, FIXED, 0, 0},

    /* profiles */
    {CKA_PROFILE_ID, F, ULONG, FIXED, 0, 0},

    /* data */
    {CKA_APPLICATION, D, BYTES, FREE, DEF, 0},
    {CKA_OBJECT_ID, D, BYTES, FREE, DEF, 0},
    {CKA_VALUE, D, BYTES, FREE, DEF, 0},

    /* certificates */
    {CKA_CERTIFICATE_TYPE, C, ULONG, TS_WHEN_CREATE, MUST, 0},
    {CKA_TRUSTED, C | P, BOOL, FREE, DEF | TS_RULE_SO_TRUE, CK_FALSE},
    {CKA_CERTIFICATE_CATEGORY, C, ULONG, TS_WHEN_CREATE, DEF, 0},
    {CKA_CHECK_VALUE, C, BYTES, TS_WHEN_CREATE, 0, 0},
    {CKA_SUBJECT, C, BYTES, TS_WHEN_CREATE, MUST, 0},
    {CKA_ISSUER, C, BYTES, FREE, DEF, 0},
    {CKA_SERIAL_NUMBER, C, BYTES, FREE, DEF, 0},
    {CKA_VALUE, C, BYTES, TS_WHEN_CREATE, DEF, 0},
    {CKA_URL, C, BYTES, TS_WHEN_CREATE, DEF, 0},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, C, BYTES, TS_WHEN_CREATE, DEF, 0},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY, C, BYTES, TS_WHEN_CREATE, DEF, 0},
    {CKA_NAME_HASH_ALGORITHM, C, ULONG, TS_WHEN_CREATE, 0, 0},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN, C, ULONG, TS_WHEN_CREATE, DEF, 0},

    /* certificates and keys */
    {CKA_ID, C | P | K, BYTES, FREE, DEF, 0},
    {CKA_START_DATE, C | P | K, DATE, FREE, DEF, 0},
    {CKA_END_DATE, C | P | K, DATE, FREE, DEF, 0},
    {CKA_PUBLIC_KEY_INFO, C, BYTES, TS_WHEN_CREATE, DEF, 0},
    {CKA_PUBLIC_KEY_INFO, P, BYTES, TS_WHEN_CREATE, 0, 0},
    {CKA_PUBLIC_KEY_INFO, K, BYTES, FIXED, 0, 0},

    /* keys */
    {CKA_KEY_TYPE, P | K, ULONG, NEW, MUST, 0},
    {CKA_SUBJECT, P | K, BYTES, FREE, DEF, 0},
    {CKA_DERIVE, P | K, BOOL, FREE, DEF, CK_FALSE},
    {CKA_LOCAL, P | K, BOOL, FIXED, DEF, CK_FALSE},
    {CKA_KEY_GEN_MECHANISM, P | K, ULONG, FIXED, DEF, CK_UNAVAILABLE_INFORMATION},
    {CKA_ALLOWED_MECHANISMS, P | K, MECHS, NEW, 0, 0},
    {CKA_EC_PARAMS, P, BYTES, NEW, MUST, 0},
    {CKA_EC_PARAMS, K, BYTES, TS_WHEN_GENERATE, 0, 0},
    {CKA_EC_POINT, P, BYTES, TS_WHEN_CREATE, MUST, 0},
    {CKA_EC_POINT, K, BYTES, FIXED, 0, 0}, /* beyond the standard: callers without a public key object look here */

    /* public keys */
    {CKA_VERIFY, P, BOOL, FREE, DEF, CK_TRUE},
    {CKA_ENCRYPT, P, BOOL, FREE, NO, CK_FALSE},
    {CKA_VERIFY_RECOVER, P, BOOL, FREE, NO, CK_FALSE},
    {CKA_WRAP, P, BOOL, FREE, NO, CK_FALSE},

    /* private keys */
    {CKA_SIGN, K, BOOL, FREE, DEF, CK_TRUE},
    {CKA_DECRYPT, K, BOOL, FREE, NO, CK_FALSE},
    {CKA_SIGN_RECOVER, K, BOOL, FREE, NO, CK_FALSE},
    {CKA_UNWRAP, K, BOOL, FREE, NO, CK_FALSE},
    {CKA_SENSITIVE, K, BOOL, FREE, YES, CK_TRUE},
    {CKA_EXTRACTABLE, K, BOOL, FREE, NO, CK_FALSE},
    {CKA_ALWAYS_SENSITIVE, K, BOOL, FIXED, DEF, CK_TRUE},
    {CKA_NEVER_EXTRACTABLE, K, BOOL, FIXED, DEF, CK_TRUE},
    {CKA_WRAP_WITH_TRUSTED, K, BOOL, FREE, NO, CK_FALSE},
    {CKA_ALWAYS_AUTHENTICATE, K, BOOL, CHOICE, NO, CK_FALSE},
    {CKA_TALLYSTICK_KEY, K, BYTES, FIXED, 0, 0},
    {CKA_TALLYSTICK_SESSION_ID, K, BYTES, TS_WHEN_GENERATE, 0, 0},
    {CKA_TALLYSTICK_PARTNER, K, BYTES, TS_WHEN_GENERATE, 0, 0},
    {CKA_TALLYSTICK_WAIT, K, ULONG, TS_WHEN_GENERATE, 0, 0},
    {CKA_VALUE, K, TS_KIND_NONE, FIXED, TS_RULE_SENSITIVE, 0},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

const struct ts_rule *
ts_rule_find(CK_ATTRIBUTE_TYPE type, unsigned class_bit)
{
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].type == type && (rules[i].classes & class_bit) != 0)
            return &rules[i];
    }
    return NULL;
}

bool
ts_rule_known(CK_ATTRIBUTE_TYPE type)
{
    return ts_rule_find(type, TS_CLASS_ALL) != NULL;
}

const struct ts_rule *
ts_rules(size_t *count)
{
    *count = RULES;
    return rules;
}

unsigned
ts_class_bit(CK_OBJECT_CLASS object_class)
{
    switch (object_class) {
    case CKO_DATA:
        return TS_CLASS_DATA;
    case CKO_CERTIFICATE:
        return TS_CLASS_CERTIFICATE;
    case CKO_PUBLIC_KEY:
        return TS_CLASS_PUBLIC;
    case CKO_PRIVATE_KEY:
        return TS_CLASS_PRIVATE;
    case CKO_PROFILE:
        return TS_CLASS_PROFILE;
    default:
        return 0;
    }
}
