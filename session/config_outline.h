#ifndef TS_SESSION_CONFIG_OUTLINE_H
#define TS_SESSION_CONFIG_OUTLINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define TS_OUTLINE_KEYS_MAX 2048
#define TS_OUTLINE_NAME_BYTES 80
#define TS_OUTLINE_VALUE_MAX 4096 /**< bytes of one value */

/** One key of the configuration file and where it stands. */
struct ts_outline_key {
    char name[TS_OUTLINE_NAME_BYTES]; /**< "store", or with its section "timeout.connect"; in a list "partners[0]" */
    size_t line;                      /**< from 1 */
    bool section;                     /**< its value is a mapping */
    bool list;                        /**< its value is a list */
};

/** All keys of a file in their order: libcyaml gives the values but not their lines, messages need them. */
struct ts_outline {
    struct ts_outline_key keys[TS_OUTLINE_KEYS_MAX];
    size_t count;
};

/** Read the shape of a YAML text: one document, a mapping of values, lists and sections, at most four in each other.
 *  Out:  line   of the fault, from 1
 *        fault  what is wrong, in words; at least 160 bytes
 *  Returns: TS_OK; TS_USAGE with line and fault set (syntax, alias, anchor, tag, second document, key twice, too
 *  many keys, a value too long or with a NUL byte). */
enum ts_error ts_outline_read(
    struct ts_outline *out, const char *text, size_t len, size_t *line, char *fault, size_t fault_size);

/** The line of a key. Returns: the line; 0 when the file does not have it. */
size_t ts_outline_line(const struct ts_outline *outline, const char *name);

#endif
