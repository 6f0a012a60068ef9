#include "tests/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Usage: check-vectors FILE...
 * Evaluates every entry of test vector files with this implementation and prints one TAP line for each. */

/* The lines of all files. */
struct tally {
    size_t count, failed;
};

static void
print_line(struct tally *tally, bool ok, const char *group, const char *detail)
{
    tally->count++;
    tally->failed += ok ? 0 : 1;
    printf("%s %zu - %s ", ok ? "ok" : "not ok", tally->count, group);
    /* '#' would begin a directive, and only printable text keeps a line a line. */
    for (const char *c = detail ? detail : "(not understood)"; *c; c++)
        putchar(*c < ' ' || *c > '~' || *c == '#' ? '?' : *c);
    putchar('\n');
    fflush(stdout);
}

/* A defect of a file outside its entries: there is no line for it, but the file is not as expected. */
static void
complain(struct tally *tally, const char *path, const char *what)
{
    printf("# %s: %s\n", path, what);
    tally->failed++;
}

/* --- the front of a file --- */

static json_t *
expected_parameters(const struct vectors *file)
{
    int l = (int)ts_group_bits(file->group), n = (int)file->bits;

    return json_pack("{so, si, si, si, si, si, si, si, s{s{si, si, si, si, si}, s{si, si}, s{si, si, si, si}}}", "q",
        show_num(ts_modulus_num(ts_group_order(file->group))), "l", l, "Lq", (int)ts_group_hash_bytes(file->group),
        "challenge_bits", TS_CHALLENGE_BITS, "stat_bits", TS_STAT_BITS, "repetitions", TS_REPETITIONS, "lnu",
        TS_MASK_BITS(l), "lb", TS_AFFINE_BITS(l), "ranges", "no_small_factor", "z1", n / 2 + 256, "z2", n / 2 + 256,
        "w1", n + 384, "w2", n + 384, "v", n + n / 2 + 384, "enc_range_dlog", "z1", l + 256, "z3", n + 384,
        "affine_range", "z1", l + 256, "z2", TS_AFFINE_BITS(l) + 256, "z3", n + 384, "z4", n + 384);
}

static bool
parameters_agree(const struct vectors *file, const json_t *data)
{
    json_t *expected = expected_parameters(file);
    bool same = expected && json_equal(expected, json_object_get(data, "params"));

    json_decref(expected);
    return same;
}

/* One party's key: N = p q' and s = t^lambda. */
static bool
read_key(struct ts_trapdoor *out, const struct vectors *file, const json_t *json, const char *const labels[3])
{
    struct entry e = {.file = file, .scope = file->scope};
    const struct ts_num *N = get_num(&e, json, labels[0]), *s = get_num(&e, json, labels[1]);
    const struct ts_num *t = get_num(&e, json, labels[2]), *lambda = get_num(&e, json, "lambda");
    const struct ts_num *p = get_num(&e, json, "p"), *q = get_num(&e, json, "q");

    if (e.strange || ts_trapdoor_init(out, file->scope, file->bits, p, q, t, lambda) != TS_OK)
        return false;
    return ts_num_equal_vartime(ts_modulus_num(out->key.N), N) && ts_num_equal_vartime(out->pedersen.s, s);
}

static void
read_front(struct tally *tally, struct vectors *file, const json_t *data, const char *path)
{
    static const char *const labels1[] = {"N", "s", "t"};
    static const char *const labels2[] = {"Nh", "sh", "th"};
    const char *format = json_string_value(json_object_get(data, "format"));
    struct entry e = {.file = file, .scope = file->scope};
    struct ts_trapdoor p2;

    if (!format || strcmp(format, "tallystick-vectors-1") != 0)
        complain(tally, path, "another format");
    file->curve = get_curve(&e, data);
    file->bits = (uint32_t)get_count(&e, data, "modulus_bits", UINT32_MAX);
    file->group = ts_mpc_group(file->mpc, file->curve);
    if (e.strange || !file->group || file->bits < 1024 || file->bits > 16384 || file->bits % 64) {
        complain(tally, path, "no curve or size that is known");
        file->bits = 0;
        return;
    }
    if (!parameters_agree(file, data))
        complain(tally, path, "params are not those of curve and size");
    file->p1_usable = read_key(&file->p1, file, json_object_get(data, "p1"), labels1);
    if (!file->p1_usable)
        complain(tally, path, "p1 is no key");
    if (!file->p1_usable || !read_key(&p2, file, json_object_get(data, "p2"), labels2))
        complain(tally, path, "p2 is no key");
}

/* --- the entries --- */

/* All cases written out, in the order of the file; null for one that is not understood. */
static json_t *
expand_all(struct vectors *file, const json_t *cases)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(cases); i++) {
        json_t *expanded = expand_case(json_array_get(cases, i), file->cases);
        const json_t *id = json_object_get(expanded, "id");
        char key[32];
        if (json_is_integer(id) && !find_case(file->cases, id)) {
            snprintf(key, sizeof key, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
            json_object_set(file->cases, key, expanded);
            json_array_append_new(list, expanded);
        } else {
            json_decref(expanded);
            json_array_append_new(list, json_null());
        }
    }
    return list;
}

static const char *
text_of(const json_t *entry, const char *label)
{
    return json_string_value(json_object_get(entry, label));
}

static void
check_cases(struct tally *tally, const struct vectors *file, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *expanded = json_array_get(list, i);
        const char *why = text_of(expanded, "why");
        char group[64];
        snprintf(group, sizeof group,
            "case %" JSON_INTEGER_FORMAT " %.20s:", json_integer_value(json_object_get(expanded, "id")),
            text_of(expanded, "proof") ? text_of(expanded, "proof") : "");
        print_line(tally, why && check_case(file, expanded), group, why);
        if (json_object_get(expanded, "prove"))
            print_line(tally, check_prove(file, expanded), "prove", why);
    }
}

static void
check_list(struct tally *tally, const struct vectors *file, const json_t *list, const char *group, const char *label,
    bool (*check)(const struct vectors *, const json_t *))
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        print_line(tally, text_of(entry, label) && check(file, entry), group, text_of(entry, label));
    }
}

static void
check_entries(struct tally *tally, struct vectors *file, const json_t *data, const char *path)
{
    static const char *const names[] = {"hashes", "cases", "presign", "sign"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!json_is_array(json_object_get(data, names[i])))
            complain(tally, path, "a list of entries is missing");
    }
    json_t *cases = expand_all(file, json_object_get(data, "cases"));
    check_list(tally, file, json_object_get(data, "hashes"), "hash", "name", check_hash);
    check_cases(tally, file, cases);
    check_list(tally, file, json_object_get(data, "presign"), "presign", "comment", check_presign);
    check_list(tally, file, json_object_get(data, "sign"), "sign", "why", check_sign);
    json_decref(cases);
}

static void
check_file(struct tally *tally, const struct ts_mpc *mpc, const char *path)
{
    struct vectors file = {.mpc = mpc, .cases = json_object()};
    json_error_t error;
    json_t *data = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (!data) {
        complain(tally, path, error.text);
    } else if (ts_scope_new(&file.scope) != TS_OK) {
        complain(tally, path, "no memory");
    } else {
        read_front(tally, &file, data, path);
        check_entries(tally, &file, data, path);
    }
    ts_scope_free(file.scope);
    json_decref(file.cases);
    json_decref(data);
}

int
main(int argc, char **argv)
{
    struct tally tally = {0};
    struct ts_env env;
    struct ts_mpc *mpc = NULL;

    if (ts_env_init(&env) != TS_OK || ts_mpc_new(&mpc, &env) != TS_OK) {
        puts("Bail out! the library does not start");
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++)
        check_file(&tally, mpc, argv[i]);
    printf("1..%zu\n", tally.count);
    ts_mpc_free(mpc);
    ts_env_clear(&env);
    return tally.failed == 0 && tally.count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
