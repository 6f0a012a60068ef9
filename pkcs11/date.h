#ifndef TS_PKCS11_DATE_H
#define TS_PKCS11_DATE_H

#include "pkcs11/attrs.h"

/** Is it a CK_DATE of the Gregorian calendar, or empty (none)? */
bool ts_date_valid(const uint8_t *value, size_t len);

/** Does CKA_START_DATE come after CKA_END_DATE? What `first` lacks is looked up in `then`, which may be NULL. */
bool ts_dates_contradict(const struct ts_attrs *first, const struct ts_attrs *then);

#endif
