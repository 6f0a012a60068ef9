#ifndef TS_MPC_NUM_TABLE_H
#define TS_MPC_NUM_TABLE_H

#include "mpc/num.h"

/** Powers of a public base that is used again and again, kept in a table, so that later powers take a sixth of the
 *  multiplications. Source: Lim and Lee, "More flexible exponentiation with precomputation", CRYPTO '94.
 *
 *  An exponent is cut into blocks of TEETH * COLUMNS bits, and each block has a table of the products of its TEETH
 *  powers base^(2^(i * COLUMNS)). Every look-up reads the whole table of its block, so neither time nor addresses
 *  depend on the exponent; only its width counts. Entries are public.
 *
 *  Size of a table in bytes: (exponent bits / (TEETH * COLUMNS)) * 2^TEETH * bytes of the modulus; with 2048-bit moduli
 *  and the values below half a MiB for all three bases of a key. More TEETH save multiplications until reading the
 *  table costs more than that; more COLUMNS make tables fewer and add that many squarings. */
#define TS_TABLE_TEETH 6
#define TS_TABLE_COLUMNS 24

struct ts_table;

/** A place for one table, empty at first; threads may share it. Owned by the scope, and the table with it. */
struct ts_table_slot;
struct ts_table_slot *ts_table_slot_new(struct ts_scope *scope);

/** A base and where its table is. `slot` may be NULL: then powers are computed without one. */
struct ts_table_base {
    const struct ts_num *base;  /**< unit modulo the modulus, public */
    struct ts_table_slot *slot; /**< always used with this base and modulus */
    size_t bits;                /**< of the widest exponent */
};

/** The product of base[i]^exponent[i] mod M; exponents secret, of any sign. Makes the tables that are missing, which
 *  takes as long as one power without a table.
 *  In:   count  1 or 2; widths of the exponents at most base[i].bits
 *  Returns: owned by the scope; NULL on failure. */
const struct ts_num *ts_table_power(struct ts_scope *scope, const struct ts_table_base *bases,
    const struct ts_num *const *exponents, size_t count, const struct ts_modulus *m);

#endif
