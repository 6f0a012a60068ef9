#include "session/secret_ask.h"
#include "base/command.h"
#include "base/terminal.h"
#include "store/pin_source.h"
#include "store/store.h"

#include <stdio.h>

static enum ts_error
ask_person(struct ts_buf *out, const char *what, bool fresh)
{
    char prompt[128];
    enum ts_error error;

    (void)snprintf(prompt, sizeof prompt, "%s: ", what);
    error = fresh ? ts_terminal_new_secret(out, prompt, TS_PIN_MIN) : ts_terminal_secret(out, prompt);
    if (error == TS_IO)
        (void)ts_complain("there is no terminal to ask for the %s; name its source by an option", what);
    else if (error != TS_OK)
        (void)ts_complain("no %s was given", what);
    return error;
}

enum ts_error
ts_secret_ask(struct ts_buf *out, const struct ts_env *env, const char *source, const char *what, bool fresh)
{
    enum ts_error error;

    ts_buf_clear(out);
    if (!source)
        return ask_person(out, what, fresh);
    error = ts_pin_source_read(out, env, source);
    if (error != TS_OK) {
        (void)ts_complain("no %s: %s", what, ts_error_text(error));
    } else if (fresh && out->len < TS_PIN_MIN) {
        (void)ts_complain("the %s must have at least %d characters", what, TS_PIN_MIN);
        error = TS_USAGE;
    }
    return error;
}
