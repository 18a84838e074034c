/* The list of what a writer has removed lately, which becomes tombstones many at once: a
   series that is removed again and again, and a reader. Who reads while the writer
   does not go on finds what it finds if the writer was killed there.
   A word of the list says a time in as many steps as BITS tells apart.
   BUG1..BUG7 are faults that must be found. */
#ifndef N
#define N 4      /* removals */
#endif
#define ROOM 2   /* words of the list */
#define BITS 4

byte buried;                    /* the header's word: the time of the newest removal */
byte list[ROOM];                /* 0: empty, else the lower bits of the time */
byte a, b;                      /* the two times of the tombstone; 0: there is none */
byte when[N], begun;     /* all removals, for the assertions */
bit done[N];                    /* it has returned */

#ifdef BUG4                     /* what is old stays on the list */
#define OLD 0
#else
#define OLD (k > 0 && t - since >= BITS / 2)
#endif
#define WORD(t) (1 + (t) % BITS)
#define MAX(x, y) (x > y -> x : y)
#define MIN(x, y) (x < y -> x : y)

/* a tombstone gets a time, in the place of the earlier one */
inline dig(t) {
  if
  :: MAX(a, b) >= t -> skip
  :: else ->
     if
#ifdef BUG5                     /* in the place of the later one */
     :: a >= b -> a = t
#else
     :: a <= b -> a = t
#endif
     :: else -> b = t
     fi
  fi
}

inline drop() { i = 0; do :: i < k -> list[i] = 0; i++ :: else -> break od }

/* the list becomes tombstones, and is emptied; or there is no room for one of them */
inline settle() {
#ifdef BUG1                     /* it is emptied first */
  drop();
#endif
  i = 0; failed = 0;
  do
  :: i < k && !failed ->
     if :: dig(time[i]); i++ :: failed = 1 fi
  :: else -> break
  od;
  if
  :: !failed ->
#ifndef BUG1
     drop();
#endif
     k = 0
#ifdef BUG6                     /* it is emptied although there was no room */
  :: failed -> drop(); k = 0
#else
  :: else -> skip
#endif
  fi
}

proctype Writer() {
  byte i, k, n, t, since; byte time[ROOM]; bit failed;
  do
  :: n < N ->
     if :: t = buried + 1 :: t = buried + 3 fi;    /* the clock */
     if :: k == ROOM || OLD -> settle() :: else -> skip fi;
     if
     :: k == ROOM || OLD -> n++  /* there is no room, and it does not return well */
     :: else ->
        if :: k == 0 -> since = t :: else -> skip fi;
        d_step { time[k] = t; when[n] = t; begun = n + 1 };
#ifdef BUG3                     /* the header says so first */
        buried = t;
#endif
        list[k] = WORD(t);
        k++;
        buried = t;
        done[n] = 1;
        n++
     fi
  :: settle()                   /* a tick */
  :: break
  od
}

inline tombstone() {
  do
  :: x = a; y = b;
#ifdef BUG7                     /* it is not looked whether both are of one moment */
     break
#else
     if :: MAX(x, y) <= u || a == x -> break :: else -> skip fi
#endif
  od;
  if :: MAX(x, y) <= u -> x = MAX(x, y) :: else -> x = MIN(x, y) fi;
  seen = MAX(seen, x)
}

proctype Reader() {
  byte i, n, u, w, x, y, seen; bit was[N];
  d_step { n = 0; do :: n < N -> was[n] = done[n]; n++ :: else -> break od };
  u = buried;
#ifdef BUG2                     /* the tombstone is read first, as in a copy */
  tombstone();
#endif
  i = 0;
  do
  :: i < ROOM && u > 0 ->
     w = list[i];
     if
     :: w == 0 -> break
     :: else ->
        x = (u + BITS - (w - 1)) % BITS;                 /* so long before u it was */
        if :: x >= BITS / 2 || x > u -> break :: else -> seen = MAX(seen, u - x); i++ fi
     fi
  :: else -> break
  od;
#ifndef BUG2
  if :: u > 0 -> tombstone() :: else -> skip fi;
#endif
  skip; d_step {
    n = 0; y = 0;
    do
    :: n < begun ->
       assert(!(was[n] && seen < when[n]));                       /* what had been removed is not lost */
       assert(!(when[n] > 0 && when[n] <= u && seen < when[n]));  /* all up to that time is seen */
       y = MAX(y, when[n]); n++
    :: else -> break
    od;
    assert(seen <= y)                                             /* nothing is removed later than it was */
  }
}

init { atomic { run Writer(); run Reader() } }
