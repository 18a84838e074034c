/* A series of a family whose series end, in a store: until when it goes on for everybody.
   Three rows of it: A is in the archive, its writers are gone; B is that of a writer that
   has begun when A did, lets it rest and goes on with it; C is a row that another writer
   begins. Time passes in ticks, while a writer is in the middle of something too, but for
   less than the grace (-DBUG4: for longer). A fold drops A once the series has ended; a
   reader leaves A out of pages then.
   -DBUG1..4 seed faults. */
#define GRACE 2
#define HALF 1                 /* of it: within that time a row may be gone on with */
#define LAST 7                 /* ticks */
#define STEPS 3                /* of the writer of B */
#define OPEN 0                 /* until, of a row that may be updated at any moment */

byte now = 1;
#define untilA 2               /* A has begun at 0 and says no more */
byte untilB = OPEN, untilC = OPEN; /* B has begun at 0, too */
byte begunC;
bit  published;                /* C can be seen */
byte deadlineB = 255, deadlineC = 255; /* by when the writers have done what they are at */

/* ghosts */
bit dropped, unseen;           /* A by a fold; the series on a page */

#define max(a, b) ((a) > (b) -> (a) : (b))

/* whether A belongs to what goes on at this moment: B or C is of the same life and open, or
   one of the three says that it goes on */
#define JOINED  (published && begunC <= max(untilA, untilB))
#define GOES_ON (untilB == OPEN || untilA >= now || untilB >= now || JOINED && (untilC == OPEN || untilC >= now))

proctype Clock() {
  do :: atomic { now < LAST && now < deadlineB && now < deadlineC -> now++ }
     :: now == LAST -> break
  od
}

/* the writer of B: it lets the row rest, and goes on with it if that is sure to go on; looks
   whether others go on with the series */
proctype Rests() {
  byte s, c, n;
  bit joined;
  do :: untilB == OPEN && n < STEPS -> n++;      /* not updated for the family's time */
        atomic { s = now; deadlineB = s + HALF }
        atomic { untilB = s + GRACE; deadlineB = 255; s = 0 }
     :: untilB != OPEN && n < STEPS -> n++; /* an update: Resume */
        atomic {
          s = now;
#ifndef BUG4                   /* the writer stands still for longer than the grace */
          deadlineB = s + HALF
#endif
        }
#ifdef BUG1                    /* nobody asks whether it is sure to go on */
        if :: true ->
#else
        if :: untilB > s + HALF ->
#endif
              atomic {
                untilB = OPEN;
                assert(!dropped); /* what belongs to the series is there */
                assert(!unseen)   /* and was on each page */
              }
           :: else             /* another row is begun: as C is */
        fi;
        atomic { deadlineB = 255; s = 0 }
     :: untilB != OPEN && n < STEPS -> n++; /* a look: settle */
        atomic { s = now; deadlineB = s + HALF }
        atomic { joined = JOINED; c = untilC };
        atomic {
          if :: joined && c == OPEN -> untilB = max(untilB, s + GRACE + HALF)
             :: else
          fi;
          deadlineB = 255; s = 0; c = 0; joined = 0
        }
     :: break
  od;
  if :: untilB == OPEN -> untilB = now + 1 /* it dies: its last word says until when */
     :: else
  fi
}

/* the writer of C */
proctype Begins() {
  byte s;
  if :: atomic { s = now;
#ifndef BUG4
          deadlineC = s + GRACE - 1
#endif
        }
        begunC = s;
        atomic {
          published = 1;
          assert(!(dropped && JOINED)) /* what counts beside it is there */
        }
        deadlineC = 255;
        if :: untilC = now + 1 :: skip fi
     :: skip
  fi
}

/* what a reader or a fold finds: until when the series goes on to which A belongs */
inline look() {
#ifndef BUG3
  t = now;
#endif
  atomic { u = max(untilA, untilB); open = (untilB == OPEN) }
  atomic {
    lacks = (deadlineC != 255); /* a page may lack the series while a row of it is begun */
    if :: published && begunC <= u ->
          if :: untilC == OPEN -> open = 1 :: else -> u = max(u, untilC) fi
       :: else
    fi
  }
#ifdef BUG3                    /* the clock is asked behind the rows */
  t = now
#endif
}

/* a fold, or a reader */
proctype Looks() {
  byte t, u;
  bit open, lacks;
  look();
#ifdef BUG2                    /* rows that are begun and not published are not waited for */
  if :: !open && u < t ->
#else
  if :: !open && u + GRACE < t ->
#endif
        atomic { dropped = 1; assert(!GOES_ON) }
     :: !open && u < t && !lacks -> unseen = 1
     :: else
  fi
}

init { atomic { run Clock(); run Rests(); run Begins(); run Looks() } }
