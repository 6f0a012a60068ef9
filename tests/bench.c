#include "tests/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints what each step costs each party. BENCH_ROUNDS (10), BENCH_CURVES, BENCH_BITS and BENCH_STEPS
   (blank-separated; all) say what to run, BENCH_JSON where to write the numbers for a program. */

#define ROUNDS_MAX 1000u
#define POWERS 3 /* exponentiations timed beside each round */

struct step {
    const char *name;
    bench_step *run;
    unsigned divisor; /* of the rounds: long steps run less often */
};

static const struct step steps[] = {
    {"pairing", bench_pairing, 5},
    {"keygen", bench_keygen, 1},
    {"presign_cold", bench_presign_cold, 1},
    {"presign_idle_done", bench_presign_idle_done, 1},
    {"online", bench_online, 1},
    {"sign_cold", bench_sign_cold, 1},
    {"refresh", bench_refresh, 1},
};

static const char *const party_names[] = {"P1", "P2", "both"};
static const enum ts_curve curves[] = {TS_CURVE_P256, TS_CURVE_SECP256K1, TS_CURVE_P384, TS_CURVE_P521};
static const uint32_t sizes[] = {2048, 3072, 4096};

/* A table of times. */
struct column {
    double ms[ROUNDS_MAX * POWERS];
    unsigned count;
};

struct report {
    unsigned rounds;
    FILE *json;
    bool first; /* nothing in the array so far */
    struct bench_power *unit, *own;
    struct column unit_ms, own_ms, ms[BENCH_PARTIES];
};

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
minimum(struct column *column)
{
    qsort(column->ms, column->count, sizeof *column->ms, compare);
    return column->ms[0];
}

static double
median(struct column *column)
{
    qsort(column->ms, column->count, sizeof *column->ms, compare);
    return (column->ms[(column->count - 1) / 2] + column->ms[column->count / 2]) / 2;
}

static void
add(struct column *column, double ms)
{
    column->ms[column->count++] = ms;
}

/* The unit is timed between the rounds, so that both see the same machine. */
static void
time_powers(struct report *report)
{
    for (int i = 0; i < POWERS; i++) {
        add(&report->unit_ms, bench_power_ms(report->unit));
        add(&report->own_ms, bench_power_ms(report->own));
    }
}

static void
print_line(struct report *report, const struct bench_setting *setting, const struct step *step, int party,
    const struct bench_run *run)
{
    const char *curve = step->run == bench_pairing ? "-" : ts_curve_name(setting->curve);
    double middle = median(&report->ms[party]), least = minimum(&report->ms[party]);
    double unit = median(&report->unit_ms), own = median(&report->own_ms);
    const struct bench_count *count = &run->count[party];

    printf("%-9s %4u %-17s %-4s %9.2f %9.2f %7.3f %7.3f %6u %5u %8.3f %8zu\n", curve, setting->bits, step->name,
        party_names[party], middle, least, middle / unit, middle / own, count->full, count->calls, count->work,
        run->bytes);
    fflush(stdout);
    if (!report->json)
        return;
    fprintf(report->json,
        "%s\n  {\"curve\": \"%s\", \"modulus_bits\": %u, \"step\": \"%s\", \"party\": \"%s\", \"median_ms\": %.4f, "
        "\"min_ms\": %.4f, \"ratio_T\": %.4f, \"bytes\": %zu}",
        report->first ? "" : ",", step->run == bench_pairing ? "" : curve, setting->bits, step->name,
        party_names[party], middle, least, middle / unit, run->bytes);
    report->first = false;
}

static void
run_step(struct report *report, struct bench_setting *setting, const struct step *step)
{
    unsigned rounds = report->rounds / step->divisor;
    struct bench_run run = {0};

    report->unit_ms.count = report->own_ms.count = 0;
    for (int party = 0; party < BENCH_PARTIES; party++)
        report->ms[party].count = 0;
    time_powers(report);
    for (unsigned i = 0; i < (rounds ? rounds : 1); i++) {
        run = (struct bench_run){0};
        step->run(&run, setting);
        for (int party = 0; party < BENCH_PARTIES; party++)
            add(&report->ms[party], run.ms[party]);
        if (report->unit_ms.count + POWERS <= ROUNDS_MAX * POWERS)
            time_powers(report);
    }
    for (int party = 0; party < BENCH_PARTIES; party++)
        print_line(report, setting, step, party, &run);
}

/* Of the kernel: the most memory that this process has had since forget_peak. */
static long
peak_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %ld", &kib) != 1)
        continue;
    if (file)
        fclose(file);
    return kib;
}

static void
forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static bool
wanted(const char *variable, const char *word)
{
    const char *list = getenv(variable);
    size_t len = strlen(word);

    for (const char *at = list; at && (at = strstr(at, word)); at += len) {
        if ((at == list || at[-1] == ' ') && (at[len] == 0 || at[len] == ' '))
            return true;
    }
    return !list || !*list;
}

static void
run_curve(struct report *report, struct bench_setting *setting)
{
    forget_peak();
    bench_keygen(&(struct bench_run){0}, setting);
    for (size_t i = 1; i < sizeof steps / sizeof *steps; i++) {
        if (wanted("BENCH_STEPS", steps[i].name))
            run_step(report, setting, &steps[i]);
    }
    printf("%-9s %4u peak memory of the process, both parties in it: %ld KiB\n", ts_curve_name(setting->curve),
        setting->bits, peak_kib());
}

static void
run_size(struct report *report, uint32_t bits)
{
    struct bench_setting setting;

    report->own = bench_power_new(bits);
    bench_setting_open(&setting, bits);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        if (!ts_parameters_allowed(curves[i], bits) || !wanted("BENCH_CURVES", ts_curve_name(curves[i])))
            continue;
        setting.curve = curves[i];
        run_curve(report, &setting);
    }
    forget_peak();
    if (wanted("BENCH_STEPS", steps[0].name))
        run_step(report, &setting, &steps[0]);
    bench_setting_close(&setting);
    bench_power_free(report->own);
}

static unsigned
rounds_wanted(void)
{
    const char *text = getenv("BENCH_ROUNDS");
    unsigned long rounds = text && *text ? strtoul(text, NULL, 10) : 10;

    return rounds < 1 ? 1 : rounds > ROUNDS_MAX - 1 ? ROUNDS_MAX - 1 : (unsigned)rounds;
}

static FILE *
open_json(void)
{
    const char *name = getenv("BENCH_JSON");

    if (!name || !*name)
        return NULL;
    FILE *json = fopen(name, "w");
    if (!json) {
        perror(name);
        exit(EXIT_FAILURE);
    }
    fputs("[", json);
    return json;
}

int
main(void)
{
    static struct report report;

    report.rounds = rounds_wanted();
    report.json = open_json();
    report.first = true;
    report.unit = bench_power_new(2048);
    printf("T: one constant-time exponentiation, exponent 2048 bits, modulus 4096 bits; own: exponent n, modulus 2n.\n"
           "full: exponentiations of that size; powers: of any size; work: all multiplications, in full ones.\n");
    printf("%-9s %4s %-17s %-4s %9s %9s %7s %7s %6s %5s %8s %8s\n", "curve", "n", "step", "who", "median ms", "min ms",
        "/T", "/own", "full", "powers", "work", "bytes");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char word[8];
        snprintf(word, sizeof word, "%u", sizes[i]);
        if (wanted("BENCH_BITS", word))
            run_size(&report, sizes[i]);
    }
    bench_power_free(report.unit);
    if (report.json && (fputs("\n]\n", report.json) < 0 || fclose(report.json) != 0))
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
