/* A row of a segment that belongs to one series, then to another: publication of
   records, the state, reading without a lock, rest before a row is used again.
   Series 1 counts ONE, is removed, and series 2 gets its row and counts TWO.
   -DBUG1..5 seed faults. */
#define ONE 1
#define TWO 2

/* the segment */
byte used;                     /* records that are published; record s is that of series s */
bit  whole[3];                 /* all bytes of the record are there */
byte state;                    /* which series the row has; 0 none. Generation and created time: never the same twice */
byte value;

/* the process that writes */
bit  writing[3];               /* somebody holds the series' handle and may still add to the row */

/* ghosts: what the rules are about */
byte counted[3];               /* additions that have begun */
byte acked[3];                 /* that have returned, as long as the series was there */
bit  withdrawn[3], removed[3]; /* Remove has begun, has returned */

inline add(s) {
  skip; d_step { counted[s]++; value++ }
  skip; d_step { if :: !withdrawn[s] -> acked[s]++ :: else fi }
}

inline create(s) {
#ifndef BUG3                   /* the row keeps what the series before had */
  value = 0;
#endif
#ifdef BUG5                    /* the state comes before the record */
  state = s;
#endif
#ifdef BUG1                    /* the record is published before it is written */
  used = s; whole[s] = 1;
#else
  whole[s] = 1; used = s;
#endif
  state = s;
  writing[s] = 1
}

proctype Writer() {            /* may be killed at any step: others then see what is there */
  create(1);
  if :: skip :: goto dead fi;
  withdrawn[1] = 1;
  state = 0;
  removed[1] = 1;
#ifndef BUG4                   /* the row does not rest */
  !writing[1];
#endif
  if :: skip :: goto dead fi;
  create(2);
dead: skip
}

proctype Adder(byte s, n) {    /* a goroutine with a handle, which may hold it beyond Remove */
  byte i;
end: writing[s] -> i = 0;   /* it waits for ever where the series is never made */
  do :: i < n -> add(s); i++ :: else -> break od;
  writing[s] = 0
}

proctype Reader() {
  byte s, v, again, was[3]; bit gone[3];
  skip; d_step { was[1] = acked[1]; was[2] = acked[2]; gone[1] = removed[1]; gone[2] = removed[2] }
  atomic { s = used; assert(s == 0 || whole[s]) }  /* a published record is complete */
  s = state;
  if :: s ->
        assert(used >= s);                         /* a state's record is published */
        v = value;
        again = state;
#ifdef BUG2                                        /* the state is not loaded again */
        again = s;
#endif
        if :: again == s ->
              d_step {
                assert(v <= counted[s]);           /* nothing that another series has counted */
                assert(v >= was[s]);               /* all that was counted before */
                assert(!gone[s])                   /* nothing that was removed before */
              }
           :: else                                 /* the row is left out */
        fi
     :: else
  fi
}

init { atomic { run Writer(); run Adder(1, ONE); run Adder(2, TWO); run Reader(); run Reader() } }
