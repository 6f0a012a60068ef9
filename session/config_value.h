#ifndef TS_SESSION_CONFIG_VALUE_H
#define TS_SESSION_CONFIG_VALUE_H

/** Read one value of the configuration from its text into *out, whose type belongs to the function: char * for text
 *  (allocated; the value before is freed), else as said.
 *  Returns: NULL when good; else what was expected, to stand after `"abc" is not `; TS_VALUE_NO_MEMORY. */
typedef const char *(*ts_value_parse)(void *out, const char *text);

extern const char TS_VALUE_NO_MEMORY[];

const char *ts_value_path(void *out, const char *text);          /**< absolute, or ~/... which is replaced */
const char *ts_value_hsm(void *out, const char *text);           /**< a PKCS#11 URI */
const char *ts_value_modulus_bits(void *out, const char *text);  /**< uint32_t: 2048, 3072, 4096 */
const char *ts_value_threads(void *out, const char *text);       /**< unsigned: 1 to 64 */
const char *ts_value_presignatures(void *out, const char *text); /**< unsigned: 0 to 64 */
const char *ts_value_log_to(void *out, const char *text);        /**< syslog, stderr, or a path */
const char *ts_value_log_level(void *out, const char *text);     /**< enum ts_log_level */
const char *ts_value_duration(void *out, const char *text);      /**< uint32_t milliseconds: "500ms", "5s", "2m" */
const char *ts_value_age(void *out, const char *text);           /**< uint32_t seconds: "90m", "12h", "30d" */
const char *ts_value_address(void *out, const char *text);       /**< host:port */
const char *ts_value_addresses(void *out, const char *text);     /**< several, with commas between */
const char *ts_value_name(void *out, const char *text);          /**< 1 to 64 printable bytes */
const char *ts_value_pin_source(void *out, const char *text);    /**< file:PATH, env:NAME, credential:NAME */
const char *ts_value_approval(void *out, const char *text);      /**< ask, auto */
const char *ts_value_role(void *out, const char *text);          /**< enterprise, mobile-app */
const char *ts_value_count(void *out, const char *text);         /**< unsigned: 1 to 100000000 */

#endif
