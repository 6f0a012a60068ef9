#ifndef TS_TESTS_VECTORS_H
#define TS_TESTS_VECTORS_H

#include "mpc/proof.h"

#include <jansson.h>

/** Parts of tests/check-vectors, which evaluates files of the form "tallystick-vectors-1". */

/** One file. */
struct vectors {
    const struct ts_mpc *mpc;
    struct ts_scope *scope; /**< for what lives as long as the file */
    const char *curve_name;
    const struct ts_group *group;
    enum ts_curve curve;
    uint32_t bits;
    struct ts_trapdoor p1;
    bool p1_usable;
    json_t *cases; /**< expanded cases by their number */
};

/** One entry that is evaluated. `strange` says that it was not understood: never as expected, whatever it expects. */
struct entry {
    const struct vectors *file;
    struct ts_scope *scope;
    bool strange;
    bool refused;
};

/** Start and end. verdict: 1 accepted, 0 refused, -1 not understood or an internal failure. */
bool entry_open(struct entry *e, const struct vectors *file);
int entry_verdict(const struct entry *e, bool accepted);
void entry_close(struct entry *e);

/* Values of a JSON object. A missing field, another type or a wrong spelling makes the entry strange; a value that the
 * protocol refuses fails the entry's scope. All of them then return NULL or 0. */
const char *get_text(struct entry *e, const json_t *object, const char *label);
uint64_t get_count(struct entry *e, const json_t *object, const char *label, uint64_t max);
const struct ts_num *get_num(struct entry *e, const json_t *object, const char *label);
/** A number "0x.." of at most 64 bits. */
uint64_t get_u64(struct entry *e, const json_t *object, const char *label, uint64_t max);
const uint8_t *get_bytes(struct entry *e, size_t *len, const json_t *object, const char *label);
const uint8_t *get_exact(struct entry *e, const json_t *object, const char *label, size_t len);
const struct ts_point *get_point(
    struct entry *e, const json_t *object, const char *label, const struct ts_group *group);
enum ts_curve get_curve(struct entry *e, const json_t *object);
/** sid, role, index and curve. */
struct ts_place get_place(struct entry *e, const json_t *object);
const struct ts_num *read_num(struct entry *e, const json_t *value);
/** The value is null. */
bool is_null(const json_t *object, const char *label);

/* The JSON form of a value; a new reference, NULL on failure. */
json_t *show_bytes(const uint8_t *bytes, size_t len);
json_t *show_num(const struct ts_num *a);
json_t *show_point(const struct ts_group *group, const struct ts_point *p);

/* --- proofs of any kind (vectors_proofs.c) --- */

enum proof_kind {
    PROOF_DLOG,
    PROOF_PAILLIER_BLUM,
    PROOF_RING_PEDERSEN,
    PROOF_NO_SMALL_FACTOR,
    PROOF_ENC_RANGE_DLOG,
    PROOF_AFFINE_RANGE,
    PROOF_KINDS
};

struct proof {
    enum proof_kind kind;
    const struct ts_group *group;
    union {
        struct ts_dlog dlog;
        struct ts_paillier_blum paillier_blum;
        struct ts_ring_pedersen ring_pedersen;
        struct ts_no_small_factor no_small_factor;
        struct ts_enc_range_dlog enc_range_dlog;
        struct ts_affine_range affine_range;
    };
};

/** A statement; those fields that its proof has. */
struct statement {
    const struct ts_num *N, *s, *t, *Nv, *sv, *tv, *C, *D;
    const struct ts_point *W, *X, *R2;
};

enum proof_kind get_kind(struct entry *e, const json_t *object);
void get_statement(
    struct entry *e, struct statement *out, enum proof_kind kind, const struct ts_group *group, const json_t *object);
/** All fields of the wire form (first_only: those of the first message); others, or missing ones, are refused. */
void get_proof(struct entry *e, struct proof *out, const json_t *wire, bool first_only);
void encode_proof(struct ts_buf *out, const struct proof *proof);
enum ts_error decode_proof(struct proof *out, struct ts_scope *scope, struct ts_reader *in, uint32_t bits);
/** The verifier's answer; for affine_range under P1's key both verifiers must agree, or the entry is strange. */
bool verify_proof(struct entry *e, const struct ts_place *place, const struct statement *st, const struct proof *proof);
/** N, s, t of a verifier. */
struct ts_pedersen make_pedersen(
    struct entry *e, const struct ts_num *N, const struct ts_num *s, const struct ts_num *t);

/* --- entries; each returns whether the outcome is the expected one --- */

bool check_hash(const struct vectors *file, const json_t *entry);
bool check_case(const struct vectors *file, const json_t *expanded);
/** Prove again from witness and seed. */
bool check_prove(const struct vectors *file, const json_t *expanded);
bool check_presign(const struct vectors *file, const json_t *entry);
bool check_sign(const struct vectors *file, const json_t *entry);

/** A case with base and patch resolved; a new reference, NULL when it is not understood. */
json_t *expand_case(const json_t *entry, const json_t *cases);
/** The expanded case of a number, or NULL. */
json_t *find_case(const json_t *cases, const json_t *id);

#endif
