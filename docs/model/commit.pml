/* A new generation of a key (from a keygen or a refresh) becomes the active one on both sides: the rules of
 * session/commit_enterprise.c and commit_mobile.c. Messages are lost, both sides are started anew at any moment;
 * what is written down (`durable`) survives that, nothing else does.
 *
 * P2 writes the new half down before it confirms. P1 makes its own active when P2 has confirmed, together with the note
 * that P2 has to be told; it tells P2 again and again until P2 says so. A run that P1 does not finish is aborted. */

#define FAULTS 4
#define RESTARTS 3
#define NEW 1

mtype = { PREPARE, CONFIRM, COMMIT, COMMIT_DONE, ABORT, ABORT_DONE };

chan to_mobile = [2] of { mtype };
chan to_enterprise = [2] of { mtype };

byte faults = FAULTS, restarts = RESTARTS;

/* durable */
byte generation1, generation2;
bool staged2;       /* P2 has the new half, not active */
bool telling;       /* P1 has to tell P2 */
bool finished;      /* P1 knows that P2 knows */
bool given_up;      /* P1 aborted, and P2 said so */

/* P1's memory */
bool running = true;

active proctype Enterprise()
{
    do
    :: running && nfull(to_mobile) && empty(to_enterprise) -> to_mobile!PREPARE
    :: telling && nfull(to_mobile) && empty(to_enterprise) -> to_mobile!COMMIT
    :: !running && !telling && !finished && nfull(to_mobile) && empty(to_enterprise) -> to_mobile!ABORT
    :: running && !telling -> running = false /* the deadline */
    :: atomic { to_enterprise?CONFIRM ->
        if
        :: running -> generation1 = NEW; telling = true; running = false
        :: else
        fi }
    :: atomic { to_enterprise?COMMIT_DONE -> telling = false; finished = true }
    :: atomic { to_enterprise?ABORT_DONE ->
        if
        :: !running && generation1 < NEW -> given_up = true
        :: else
        fi }
    :: atomic { restarts > 0 -> restarts--; running = false }
    :: finished || given_up -> break
    od
}

active proctype Mobile()
{
end:
    do
    :: atomic { to_mobile?PREPARE ->
        if
        :: generation2 < NEW && !given_up -> staged2 = true;
            if :: nfull(to_enterprise) -> to_enterprise!CONFIRM :: else fi
        :: else
        fi }
    :: atomic { to_mobile?COMMIT ->
        assert(staged2 || generation2 == NEW);
        generation2 = NEW;
        staged2 = false;
        if :: nfull(to_enterprise) -> to_enterprise!COMMIT_DONE :: else fi }
    :: atomic { to_mobile?ABORT ->
        if
        :: generation2 < NEW -> staged2 = false
        :: else
        fi;
        if :: nfull(to_enterprise) -> to_enterprise!ABORT_DONE :: else fi }
    od
}

active proctype Network()
{
end:
    do
    :: atomic { faults > 0 && nempty(to_mobile) -> faults--; to_mobile?_ }
    :: atomic { faults > 0 && nempty(to_enterprise) -> faults--; to_enterprise?_ }
    od
}

ltl never_ahead { [] (generation2 <= generation1) }
ltl same { [] (finished -> (generation1 == generation2)) }
ltl told { [] (telling -> <> (generation1 == generation2 && finished)) }
