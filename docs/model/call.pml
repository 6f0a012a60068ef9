/* One call after the other over a link that loses, doubles and breaks: the rules of transport/reliable.c and mux.c.
 *
 * The caller asks for a signature with a presignature that it uses for this call only, in a session of its own, and
 * sends the request again until it has an answer, the device says that the session is over, the device was started
 * anew, or the deadline is reached. The device answers a request once and keeps the answer for as long as it keeps the
 * session; it forgets sessions, and everything when it is started anew. What was under way in a connection is lost
 * with it. Faults are bounded so that there are finitely many states; their order and place are free.
 *
 * `make check-model` checks: the assertions, `ends`, and that a copy without one of the marked rules fails. */

#define CALLS 2
#define FAULTS 3
#define RESTARTS 1

mtype = { REQUEST, ANSWER, OVER };
mtype = { NONE, GOOD, IO, TIMEOUT };

chan to_device = [2] of { mtype, byte /* session */, byte /* answer */ };
chan to_caller = [2] of { mtype, byte, byte };

byte faults = FAULTS, restarts = RESTARTS;
bool connected = true, calling, expired;
byte life;              /* of the device: another after each start */
byte session;           /* of the call; also its presignature: each is used for one call */
mtype outcome = NONE;
byte fresh;             /* the next answer: no two are equal */
byte given[CALLS + 1];  /* what the device ever answered for a presignature, 0: nothing */

/* The device's memory. */
bool known[CALLS + 1];
byte kept[CALLS + 1], highest;

inline forget_connection()
{
    do
    :: len(to_device) > 0 -> to_device?_, _, _
    :: len(to_caller) > 0 -> to_caller?_, _, _
    :: else -> break
    od
}

active proctype Caller()
{
    mtype type;
    byte which, answer, link_life;

    do
    :: session < CALLS ->
        atomic { session++; outcome = NONE; expired = false; link_life = life; calling = true }
        do
        :: expired -> outcome = TIMEOUT; break
        :: !expired && connected && link_life != life -> outcome = IO; break  /* resumed, and not known */
        :: atomic { !expired && connected && link_life == life && len(to_device) < 2 ->
            to_device!REQUEST, session, 0 }
        :: atomic { !expired && len(to_caller) > 0 -> to_caller?type, which, answer };
            if
            :: which != session -> skip /* late */
            :: which == session && type == ANSWER ->
                assert(answer == given[session]);
                outcome = GOOD;
                break
            :: which == session && type == OVER -> outcome = IO; break
            fi
        od;
        atomic { assert(outcome != NONE); calling = false }
    :: else -> break
    od
}

active proctype Device()
{
    byte which;

end:
    do
    :: atomic { to_device?REQUEST, which, _ ->
        if
        :: known[which] -> skip /* RULE caching: the answer that is kept goes again, below */
        :: !known[which] && which <= highest -> known[which] = false; /* RULE serial: it was here, and is forgotten */
            if :: len(to_caller) < 2 -> to_caller!OVER, which, 0 :: else -> skip fi;
            which = 0
        :: else ->
            fresh++;
            assert(given[which] == 0); /* no two different answers for one presignature */
            given[which] = fresh;
            kept[which] = fresh;
            known[which] = true;
            if :: which > highest -> highest = which :: else -> skip fi
        fi;
        if
        :: which != 0 && len(to_caller) < 2 -> to_caller!ANSWER, which, kept[which]
        :: else -> skip
        fi;
        which = 0 }
    :: atomic { known[1] && (session > 1 || !calling) -> known[1] = false; kept[1] = 0 }
    :: atomic { known[CALLS] && !calling -> known[CALLS] = false; kept[CALLS] = 0 }
    :: atomic { known[session] && faults > 0 -> faults--; known[session] = false; kept[session] = 0 } /* too long ago */
    :: atomic { restarts > 0 -> restarts--; life++; highest = 0; known[1] = false; known[2] = false; kept[1] = 0;
        kept[2] = 0; connected = false; forget_connection() }
    od
}

active proctype Network()
{
    mtype type;
    byte which, answer;

end:
    do
    :: atomic { faults > 0 && len(to_device) > 0 -> faults--; to_device?_, _, _ }
    :: atomic { faults > 0 && len(to_caller) > 0 -> faults--; to_caller?_, _, _ }
    :: atomic { faults > 0 && len(to_device) > 0 && len(to_device) < 2 ->
        faults--; to_device?type, which, answer; to_device!type, which, answer; to_device!type, which, answer }
    :: atomic { faults > 0 && len(to_device) == 2 -> /* reorder */
        faults--; to_device?type, which, answer; to_device!type, which, answer }
    :: atomic { faults > 0 && connected -> faults--; connected = false; forget_connection() }
    :: atomic { !connected -> connected = true }
    od
}

active proctype Clock()
{
end:
    do
    :: calling && !expired -> expired = true
    od
}

ltl ends { [] (calling -> <> !calling) }
