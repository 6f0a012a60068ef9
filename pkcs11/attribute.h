#ifndef TS_PKCS11_ATTRIBUTE_H
#define TS_PKCS11_ATTRIBUTE_H

#include "pkcs11/cryptoki.h"
#include "pkcs11/tallystick.h"

#include <stdbool.h>
#include <stddef.h>

/** Classes of objects that this token keeps, as bits of a rule. */
enum {
    TS_CLASS_DATA = 1,
    TS_CLASS_CERTIFICATE = 2,
    TS_CLASS_PUBLIC = 4,
    TS_CLASS_PRIVATE = 8,
    TS_CLASS_PROFILE = 16, /**< made by the token alone */
    TS_CLASS_KEYS = TS_CLASS_PUBLIC | TS_CLASS_PRIVATE,
    TS_CLASS_ALL = 31
};

/** Form of a value. */
enum ts_kind { TS_KIND_BOOL, TS_KIND_ULONG, TS_KIND_BYTES, TS_KIND_DATE, TS_KIND_MECHANISMS, TS_KIND_NONE };

/** When a template may give the attribute. C_SetAttributeValue and C_CopyObject go by SET and COPY. */
enum {
    TS_WHEN_CREATE = 1,
    TS_WHEN_GENERATE = 2,
    TS_WHEN_SET = 4,
    TS_WHEN_COPY = 8,
};

/** What else holds for it. */
enum {
    TS_RULE_ONLY_TRUE = 1,    /**< the token refuses CK_FALSE */
    TS_RULE_ONLY_FALSE = 2,   /**< the token refuses CK_TRUE */
    TS_RULE_STICKY_FALSE = 4, /**< cannot become true again */
    TS_RULE_SO_TRUE = 8,      /**< only the security officer may set CK_TRUE */
    TS_RULE_SENSITIVE = 16,   /**< never revealed and never stored here */
    TS_RULE_DEFAULT = 32,     /**< absent in the template: value `initial` (bool, number) or empty */
    TS_RULE_MUST_CREATE = 64, /**< C_CreateObject needs it */
};

struct ts_rule {
    CK_ATTRIBUTE_TYPE type;
    unsigned classes;
    enum ts_kind kind;
    unsigned when;
    unsigned flags;
    CK_ULONG initial;
};

/** Rule of an attribute in one class. Source: PKCS#11 3.0, tables of section 4 and of EC keys (Current Mechanisms 2.3).
 *  Returns: NULL when objects of that class do not have it. */
const struct ts_rule *ts_rule_find(CK_ATTRIBUTE_TYPE type, unsigned class_bit);
/** Does any class have it? */
bool ts_rule_known(CK_ATTRIBUTE_TYPE type);
/** The whole table, for defaults. */
const struct ts_rule *ts_rules(size_t *count);

/** Returns: the class's bit; 0 for one that this token does not keep. */
unsigned ts_class_bit(CK_OBJECT_CLASS object_class);

#endif
