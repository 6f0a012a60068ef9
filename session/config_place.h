#ifndef TS_SESSION_CONFIG_PLACE_H
#define TS_SESSION_CONFIG_PLACE_H

/** Where files lie when nobody says. The environment is not believed in a set-user-id program (secure_getenv). All
 *  results are allocated; NULL without memory or without a home folder. */

/** The value of an environment variable. Returns: the variable's own memory; NULL when unset or empty. */
const char *ts_place_variable(const char *name);

/** The user's home folder followed by `tail` ("/..."). */
char *ts_place_home(const char *tail);

/** $XDG_CONFIG_HOME/tallystick/tallystick.yaml, else under ~/.config. */
char *ts_place_user_config(void);

/** $XDG_STATE_HOME/tallystick/FILE, else for root /var/lib/tallystick/FILE, else under ~/.local/state. */
char *ts_place_state(const char *file);

/** This machine's name, at most 64 bytes. */
char *ts_place_host_name(void);

/** Where others reach a listener on `listen` (host:port): listen itself, or for a wildcard host the machine's name. */
char *ts_place_advertise(const char *listen);

#endif
