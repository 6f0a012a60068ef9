#ifndef TS_PKCS11_PAD_H
#define TS_PKCS11_PAD_H

#include <stddef.h>

#define TS_MANUFACTURER "tallystick"
#define TS_LIBRARY_VERSION                                                                                             \
    {                                                                                                                  \
        0, 1                                                                                                           \
    }

/** Text into a fixed field of an info structure: cut to fit, padded with blanks, without a final NUL. */
void ts_pad(unsigned char *field, size_t size, const char *text);

#endif
