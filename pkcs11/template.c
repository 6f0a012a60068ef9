#include "pkcs11/template.h"

#include "pkcs11/date.h"

#include <stdio.h>
#include <string.h>

#define MAX_ENTRIES 512
#define MAX_VALUE (1u << 20)

CK_RV
ts_template_check_shape(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (count > MAX_ENTRIES || (!template && count > 0))
        return CKR_ARGUMENTS_BAD;
    return CKR_OK;
}

CK_RV
ts_template_class(CK_OBJECT_CLASS *out, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_RV rv = ts_template_check_shape(template, count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        if (template[i].type != CKA_CLASS)
            continue;
        if (!template[i].pValue || template[i].ulValueLen != sizeof(*out))
            return CKR_ATTRIBUTE_VALUE_INVALID;
        memcpy(out, template[i].pValue, sizeof(*out));
        return CKR_OK;
    }
    return rv == CKR_OK ? CKR_TEMPLATE_INCOMPLETE : rv;
}

static bool
has_kind(enum ts_kind kind, const uint8_t *value, size_t len)
{
    switch (kind) {
    case TS_KIND_BOOL:
        return len == 1 && value[0] <= 1;
    case TS_KIND_ULONG:
        return len == sizeof(CK_ULONG);
    case TS_KIND_BYTES:
        return true;
    case TS_KIND_DATE:
        return ts_date_valid(value, len);
    case TS_KIND_MECHANISMS:
        return len % sizeof(CK_MECHANISM_TYPE) == 0;
    case TS_KIND_NONE:
        return false;
    }
    return false;
}

/* A new object may not ask for what the token refuses; an old one simply cannot be changed to it. */
static CK_RV
check_bool(const struct ts_rule *rule, const struct ts_purpose *purpose, bool value)
{
    CK_RV refusal = purpose->current ? CKR_ATTRIBUTE_READ_ONLY : CKR_ATTRIBUTE_VALUE_INVALID;

    if ((rule->flags & TS_RULE_ONLY_TRUE) && !value)
        return refusal;
    if ((rule->flags & TS_RULE_ONLY_FALSE) && value)
        return refusal;
    if ((rule->flags & TS_RULE_SO_TRUE) && value && !purpose->so)
        return CKR_ATTRIBUTE_READ_ONLY;
    if ((rule->flags & TS_RULE_STICKY_FALSE) && value && purpose->current &&
        !ts_attrs_bool(purpose->current, rule->type, true))
        return CKR_ATTRIBUTE_READ_ONLY;
    return CKR_OK;
}

static bool
is_unchanged(const struct ts_purpose *purpose, const CK_ATTRIBUTE *entry)
{
    return purpose->when == TS_WHEN_COPY &&
           ts_attrs_equal(purpose->current, entry->type, entry->pValue, entry->ulValueLen);
}

static CK_RV
check_entry(const struct ts_purpose *purpose, const CK_ATTRIBUTE *entry)
{
    const struct ts_rule *rule = ts_rule_find(entry->type, purpose->class_bit);

    if (!rule)
        return ts_rule_known(entry->type) ? CKR_TEMPLATE_INCONSISTENT : CKR_ATTRIBUTE_TYPE_INVALID;
    if ((!entry->pValue && entry->ulValueLen > 0) || entry->ulValueLen > MAX_VALUE)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    if (!(rule->when & purpose->when))
        return is_unchanged(purpose, entry) ? CKR_OK : CKR_ATTRIBUTE_READ_ONLY;
    if (!has_kind(rule->kind, entry->pValue, entry->ulValueLen))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    if (rule->kind == TS_KIND_BOOL)
        return check_bool(rule, purpose, *(const CK_BBOOL *)entry->pValue != CK_FALSE);
    return CKR_OK;
}

CK_RV
ts_template_read(struct ts_attrs *out, const struct ts_purpose *purpose, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_RV rv = ts_template_check_shape(template, count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        if (ts_attrs_find(out, template[i].type))
            rv = CKR_TEMPLATE_INCONSISTENT;
        if (rv == CKR_OK)
            rv = check_entry(purpose, &template[i]);
        if (rv == CKR_OK)
            rv = ts_attrs_set(out, template[i].type, template[i].pValue, template[i].ulValueLen);
    }
    if (rv == CKR_OK && ts_dates_contradict(out, purpose->current))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv != CKR_OK)
        ts_attrs_clear(out);
    return rv;
}

static CK_RV
set_default(struct ts_attrs *attrs, const struct ts_rule *rule)
{
    switch (rule->kind) {
    case TS_KIND_BOOL:
        return ts_attrs_set_bool(attrs, rule->type, rule->initial != CK_FALSE);
    case TS_KIND_ULONG:
        return ts_attrs_set_ulong(attrs, rule->type, rule->initial);
    default:
        return ts_attrs_set(attrs, rule->type, NULL, 0);
    }
}

CK_RV
ts_template_set_unique_id(struct ts_attrs *attrs, const struct ts_env *env)
{
    uint8_t id[16];
    char text[2 * sizeof(id) + 1];

    if (ts_random(env, id, sizeof(id)) != TS_OK)
        return CKR_GENERAL_ERROR;
    for (size_t i = 0; i < sizeof(id); i++)
        (void)snprintf(text + 2 * i, 3, "%02x", id[i]);
    return ts_attrs_set(attrs, CKA_UNIQUE_ID, text, 2 * sizeof(id));
}

CK_RV
ts_template_complete(struct ts_attrs *attrs, const struct ts_env *env, const struct ts_purpose *purpose)
{
    size_t count = 0;
    const struct ts_rule *rules = ts_rules(&count);
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < count && rv == CKR_OK; i++) {
        const struct ts_rule *rule = &rules[i];
        if (!(rule->classes & purpose->class_bit) || ts_attrs_find(attrs, rule->type))
            continue;
        if ((rule->flags & TS_RULE_MUST_CREATE) && purpose->when == TS_WHEN_CREATE)
            rv = CKR_TEMPLATE_INCOMPLETE;
        else if (rule->flags & TS_RULE_DEFAULT)
            rv = set_default(attrs, rule);
    }
    return rv == CKR_OK ? ts_template_set_unique_id(attrs, env) : rv;
}
