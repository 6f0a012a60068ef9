#include "session/cancel.h"

#include "transport/link.h"

void
ts_cancel_init(struct ts_cancel *cancel)
{
    *cancel = (struct ts_cancel){0};
    (void)pthread_mutex_init(&cancel->lock, NULL);
}

void
ts_cancel_clear(struct ts_cancel *cancel)
{
    (void)pthread_mutex_destroy(&cancel->lock);
}

void
ts_cancel_ask(struct ts_cancel *cancel)
{
    (void)pthread_mutex_lock(&cancel->lock);
    cancel->asked = true;
    if (cancel->session)
        ts_session_interrupt(cancel->session);
    (void)pthread_mutex_unlock(&cancel->lock);
}

bool
ts_cancel_asked(struct ts_cancel *cancel)
{
    if (!cancel)
        return false;
    (void)pthread_mutex_lock(&cancel->lock);
    bool asked = cancel->asked;
    (void)pthread_mutex_unlock(&cancel->lock);
    return asked;
}

void
ts_cancel_attach(struct ts_cancel *cancel, struct ts_session *session)
{
    if (!cancel)
        return;
    (void)pthread_mutex_lock(&cancel->lock);
    cancel->session = session;
    if (session && cancel->asked)
        ts_session_interrupt(session);
    (void)pthread_mutex_unlock(&cancel->lock);
}
