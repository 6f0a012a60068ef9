#include "mpc/num_table.h"
#include "mpc/num_internal.h"

#include "base/secret.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#define ENTRIES ((size_t)1 << TS_TABLE_TEETH)
#define BLOCK_BITS ((size_t)TS_TABLE_TEETH * TS_TABLE_COLUMNS)
#define BASES_MAX 2
#define LANES 8 /* limbs that a look-up collects at a time */

typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t))));

/* The same code for each kind of processor, chosen when the program is loaded: before the runtime of ThreadSanitizer,
   which the choice would call, is ready. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

/* All in Montgomery form, as little-endian words. */
struct ts_table {
    size_t limbs, blocks;
    uint64_t *entries; /* [block][digit][limb] */
    uint64_t *inverse; /* [blocks in use][0 or 1][limb]: 1, base^-(2^(BLOCK_BITS * blocks in use)) */
};

struct ts_table_slot {
    _Atomic(struct ts_table *) table;
};

static void
table_free(struct ts_table *table)
{
    if (!table)
        return;
    free(table->entries);
    free(table->inverse);
    free(table);
}

static void
release_slot(void *slot)
{
    table_free(atomic_load(&((struct ts_table_slot *)slot)->table));
}

struct ts_table_slot *
ts_table_slot_new(struct ts_scope *scope)
{
    struct ts_table_slot *slot = ts_scope_memory(scope, sizeof *slot);

    if (!slot)
        return NULL;
    atomic_init(&slot->table, NULL);
    return ts_scope_own(scope, slot, release_slot);
}

static uint64_t *
entry_of(const struct ts_table *table, size_t block, size_t digit)
{
    return table->entries + (block * ENTRIES + digit) * table->limbs;
}

static uint64_t *
inverse_of(const struct ts_table *table, size_t blocks)
{
    return table->inverse + 2 * blocks * table->limbs;
}

/* --- making one: public values --- */

/* What is at hand while a table is made. */
struct maker {
    struct ts_scope *scope;
    const struct ts_modulus *m;
    BN_CTX *ctx;
    BIGNUM *one, *power, *product;
};

static bool
put_entry(uint64_t *out, const BIGNUM *value, size_t limbs)
{
    return BN_bn2lebinpad(value, (unsigned char *)out, (int)(8 * limbs)) >= 0;
}

static bool
get_entry(BIGNUM *value, const uint64_t *in, size_t limbs)
{
    return BN_lebin2bn((const unsigned char *)in, (int)(8 * limbs), value) != NULL;
}

/* The entries whose highest tooth is this one: the power alone, and times all entries below. */
static bool
add_tooth(struct ts_table *table, struct maker *maker, size_t block, size_t tooth)
{
    for (size_t below = 0; below < (size_t)1 << tooth; below++) {
        size_t digit = ((size_t)1 << tooth) + below;
        if (!get_entry(maker->product, entry_of(table, block, below), table->limbs) ||
            !BN_mod_mul_montgomery(maker->product, maker->product, maker->power, maker->m->mont, maker->ctx) ||
            !put_entry(entry_of(table, block, digit), maker->product, table->limbs))
            return false;
    }
    return true;
}

static bool
next_power(struct maker *maker)
{
    for (size_t i = 0; i < TS_TABLE_COLUMNS; i++) {
        if (!BN_mod_mul_montgomery(maker->power, maker->power, maker->power, maker->m->mont, maker->ctx))
            return false;
    }
    return true;
}

/* What undoes two's complement: one, and the inverse of the power that maker has reached. */
static bool
put_inverse(struct ts_table *table, struct maker *maker, size_t blocks)
{
    uint64_t *out = inverse_of(table, blocks);

    return put_entry(out, maker->one, table->limbs) &&
           BN_from_montgomery(maker->product, maker->power, maker->m->mont, maker->ctx) &&
           BN_mod_inverse(maker->product, maker->product, maker->m->bn, maker->ctx) &&
           BN_to_montgomery(maker->product, maker->product, maker->m->mont, maker->ctx) &&
           put_entry(out + table->limbs, maker->product, table->limbs);
}

static bool
fill(struct ts_table *table, struct maker *maker)
{
    for (size_t block = 0; block < table->blocks; block++) {
        if (!put_entry(entry_of(table, block, 0), maker->one, table->limbs))
            return false;
        for (size_t tooth = 0; tooth < TS_TABLE_TEETH; tooth++) {
            if (!add_tooth(table, maker, block, tooth) || !next_power(maker))
                return false;
        }
        if (!put_inverse(table, maker, block + 1))
            return false;
    }
    return true;
}

static struct ts_table *
table_alloc(size_t limbs, size_t bits)
{
    struct ts_table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    table->limbs = limbs;
    table->blocks = (bits + BLOCK_BITS - 1) / BLOCK_BITS;
    table->entries = aligned_alloc(64, (table->blocks * ENTRIES * limbs * sizeof(uint64_t) + 63) / 64 * 64);
    table->inverse = calloc(2 * (table->blocks + 1) * limbs, sizeof(uint64_t));
    if (table->entries && table->inverse)
        return table;
    table_free(table);
    return NULL;
}

static struct ts_table *
table_new(struct ts_scope *scope, const struct ts_table_base *base, const struct ts_modulus *m)
{
    struct ts_table *table = table_alloc(m->num->limbs, base->bits);
    struct maker maker = {.scope = scope, .m = m, .ctx = ts_scope_bn_ctx(scope)};
    bool done = false;

    ERR_set_mark();
    maker.one = BN_new();
    maker.power = ts_bn_from_public(scope, ts_mod(scope, base->base, m));
    maker.product = BN_new();
    if (table && maker.ctx && maker.one && maker.power && maker.product && BN_one(maker.one) &&
        BN_to_montgomery(maker.one, maker.one, m->mont, maker.ctx) &&
        BN_to_montgomery(maker.power, maker.power, m->mont, maker.ctx))
        done = fill(table, &maker);
    BN_free(maker.one);
    BN_clear_free(maker.power);
    BN_free(maker.product);
    ERR_pop_to_mark();
    if (done)
        return table;
    table_free(table);
    ts_scope_fail(scope, TS_INTERNAL);
    return NULL;
}

/* Two threads may make the same table; the first to finish keeps its own. */
static const struct ts_table *
table_get(struct ts_scope *scope, const struct ts_table_base *base, const struct ts_modulus *m)
{
    struct ts_table *present = atomic_load_explicit(&base->slot->table, memory_order_acquire);

    if (present)
        return present;
    struct ts_table *made = table_new(scope, base, m);
    if (!made || atomic_compare_exchange_strong(&base->slot->table, &present, made))
        return made;
    table_free(made);
    return present;
}

/* --- using it: constant time --- */

/* One base of a product. */
struct factor {
    const struct ts_table *table;
    size_t blocks;   /* in use, by the exponent's width */
    mp_limb_t *bits; /* the exponent in two's complement of BLOCK_BITS * blocks bits */
    mp_limb_t negative;
};

/* The running product. `entry` is loaded with a word above it and then gets the word count of `shape`, as
   load_full_width does, so that its leading zeros are not seen. */
struct product {
    const struct ts_modulus *m;
    BN_CTX *ctx;
    BIGNUM *value, *entry, *shape;
    uint64_t *words; /* limbs + 1 */
};

/* words = the entry number `digit` of `count`, reading all of them. */
FOR_EACH_PROCESSOR static void
look_up(uint64_t *words, const uint64_t *entries, size_t count, size_t limbs, mp_limb_t digit)
{
    uint64_t masks[ENTRIES];

    for (size_t i = 0; i < count; i++)
        masks[i] = ~ts_mask_nonzero((mp_limb_t)i ^ digit);
    for (size_t at = 0; at < limbs; at += LANES) {
        lanes sum = {0};
        for (size_t i = 0; i < count; i++) {
            lanes entry;
            memcpy(&entry, entries + i * limbs + at, sizeof entry);
            sum |= entry & masks[i];
        }
        memcpy(words + at, &sum, sizeof sum);
    }
}

static bool
multiply(struct product *product, const uint64_t *entries, size_t count, mp_limb_t digit)
{
    size_t limbs = product->m->num->limbs;

    look_up(product->words, entries, count, limbs, digit);
    if (!BN_lebin2bn((const unsigned char *)product->words, (int)(8 * limbs) + 1, product->entry))
        return false;
    BN_consttime_swap(1, product->entry, product->shape, 0);
    bool done =
        BN_mod_mul_montgomery(product->value, product->value, product->entry, product->m->mont, product->ctx) == 1;
    BN_consttime_swap(1, product->entry, product->shape, 0);
    return done;
}

/* One bit of each tooth of a block. */
static mp_limb_t
digit_of(const struct factor *factor, size_t block, size_t column)
{
    mp_limb_t digit = 0;

    for (size_t tooth = 0; tooth < TS_TABLE_TEETH; tooth++) {
        size_t at = block * BLOCK_BITS + tooth * TS_TABLE_COLUMNS + column;
        digit |= (factor->bits[at / TS_LIMB_BITS] >> (at % TS_LIMB_BITS) & 1) << tooth;
    }
    return digit;
}

static bool
multiply_column(struct product *product, const struct factor *factor, size_t column)
{
    bool done = true;

    for (size_t block = 0; block < factor->blocks && done; block++)
        done = multiply(product, entry_of(factor->table, block, 0), ENTRIES, digit_of(factor, block, column));
    return done;
}

static bool
multiply_all(struct product *product, const struct factor *factors, size_t count)
{
    BIGNUM *value = product->value;
    bool done = BN_one(value) && BN_to_montgomery(value, value, product->m->mont, product->ctx);

    for (size_t column = TS_TABLE_COLUMNS; column-- > 0 && done;) {
        done = BN_mod_mul_montgomery(value, value, value, product->m->mont, product->ctx) == 1;
        for (size_t i = 0; i < count && done; i++)
            done = multiply_column(product, &factors[i], column);
    }
    for (size_t i = 0; i < count && done; i++)
        done = multiply(product, inverse_of(factors[i].table, factors[i].blocks), 2, factors[i].negative & 1);
    return done && BN_from_montgomery(value, value, product->m->mont, product->ctx) == 1;
}

static const struct ts_num *
product_of(struct ts_scope *scope, const struct factor *factors, size_t count, const struct ts_modulus *m)
{
    size_t limbs = m->num->limbs;
    struct product product = {.m = m, .ctx = ts_scope_bn_ctx(scope)};
    const struct ts_num *result = NULL;

    ERR_set_mark();
    product.words = ts_scope_memory(scope, (limbs + 1) * sizeof(uint64_t));
    product.value = BN_secure_new();
    product.entry = BN_secure_new();
    product.shape = BN_secure_new();
    if (product.words && product.ctx && product.value && product.entry && product.shape &&
        BN_set_bit(product.shape, (int)(limbs * TS_LIMB_BITS) - 1)) {
        *(unsigned char *)(product.words + limbs) = 1;
        if (multiply_all(&product, factors, count))
            result = ts_num_from_bn(scope, product.value, m->num->bits);
    }
    if (!result)
        ts_scope_fail(scope, TS_INTERNAL);
    BN_clear_free(product.value);
    BN_clear_free(product.entry);
    BN_clear_free(product.shape);
    ERR_pop_to_mark();
    return result;
}

static bool
set_factor(struct factor *factor, struct ts_scope *scope, const struct ts_table_base *base,
    const struct ts_num *exponent, const struct ts_modulus *m)
{
    size_t blocks = (exponent->bits + BLOCK_BITS - 1) / BLOCK_BITS, n = ts_limbs_for(blocks * BLOCK_BITS);

    factor->table = table_get(scope, base, m);
    factor->bits = ts_scope_memory(scope, n * sizeof(mp_limb_t));
    factor->blocks = blocks;
    factor->negative = ts_barrier(exponent->negative);
    if (!factor->table || !factor->bits)
        return false;
    if (blocks > factor->table->blocks || m->num->limbs % LANES != 0) {
        ts_scope_fail(scope, TS_INTERNAL);
        return false;
    }
    ts_limbs_extend(factor->bits, exponent, n);
    ts_limbs_negate(factor->bits, factor->bits, n, factor->negative);
    return true;
}

static const struct ts_num *
power_without(struct ts_scope *scope, const struct ts_table_base *bases, const struct ts_num *const *exponents,
    size_t count, const struct ts_modulus *m)
{
    const struct ts_num *product = ts_mod_power(scope, bases[0].base, exponents[0], m);

    for (size_t i = 1; i < count; i++)
        product = ts_mod_mul(scope, product, ts_mod_power(scope, bases[i].base, exponents[i], m), m);
    return product;
}

const struct ts_num *
ts_table_power(struct ts_scope *scope, const struct ts_table_base *bases, const struct ts_num *const *exponents,
    size_t count, const struct ts_modulus *m)
{
    struct factor factors[BASES_MAX];
    bool with_tables = true;

    if (!ts_scope_ready(scope, m && count >= 1 && count <= BASES_MAX))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!ts_scope_ready(scope, bases[i].base && exponents[i]))
            return NULL;
        with_tables = with_tables && bases[i].slot;
    }
    if (!with_tables)
        return power_without(scope, bases, exponents, count, m);
    for (size_t i = 0; i < count; i++) {
        if (!set_factor(&factors[i], scope, &bases[i], exponents[i], m))
            return NULL;
    }
    return product_of(scope, factors, count, m);
}
