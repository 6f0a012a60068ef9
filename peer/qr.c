#include "peer/qr.h"

#include <qrencode.h>

#define QUIET 4

/* Outside of the code all is light. */
static bool
dark(const QRcode *code, int x, int y)
{
    bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;

    return inside && (code->data[y * code->width + x] & 1);
}

/* Two rows of modules in one of the terminal. The colours are set, so that it can be read on any background. */
static void
draw_row(FILE *out, const QRcode *code, int y)
{
    (void)fputs("\033[30;107m", out);
    for (int x = -QUIET; x < code->width + QUIET; x++) {
        bool upper = dark(code, x, y), lower = dark(code, x, y + 1);
        (void)fputs(upper && lower ? "\u2588" : upper ? "\u2580" : lower ? "\u2584" : " ", out);
    }
    (void)fputs("\033[0m\n", out);
}

bool
ts_qr_draw(FILE *out, const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

    if (!code)
        return false;
    for (int y = -QUIET; y < code->width + QUIET; y += 2)
        draw_row(out, code, y);
    QRcode_free(code);
    return true;
}
