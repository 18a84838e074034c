/* Replace of a family's series while others read: rows of the next table are laid
   out, then one word says that they are the family's. It counts replacements; rows
   have the lowest bit of it (in segments: the lowest byte).
   -DBUG1..5 seed faults. */
#define N 2                    /* series of a table */
#define ROUNDS 2

/* the segment */
byte used;                     /* how many rows have a record */
byte shown;                    /* the word */
bit  live[2*N]; byte table[2*N], value[2*N];

/* ghosts: what the rules are about */
byte acked;                    /* the last replacement that has returned */

proctype Writer() {            /* may be killed at any step */
  byte i, next = 1;
  do :: next <= ROUNDS ->
#ifdef BUG1                    /* the word comes first */
        shown = next;
#endif
#ifdef BUG3                    /* the old rows go first */
        i = 0; do :: i < N -> live[(1 - next % 2) * N + i] = 0; i++ :: else -> break od;
#endif
        i = 0;
        do :: i < N ->
              skip; d_step { value[next % 2 * N + i] = next; table[next % 2 * N + i] = next % 2 }
              if :: used < next % 2 * N + i + 1 -> used = next % 2 * N + i + 1 :: else fi;
              live[next % 2 * N + i] = 1;
              if :: skip :: goto dead fi;
              i++
           :: else -> break
        od;
        shown = next;
        acked = next;
        i = 0; do :: i < N -> live[(1 - next % 2) * N + i] = 0; i++ :: else -> break od;
        next++
     :: else -> break
  od;
dead: skip
}

proctype Reader() {
  byte i, u, w, n, first, was; bit mixed, same;
  was = acked;
#ifdef BUG5                    /* records are read before the word */
  u = used;
#endif
again: skip;
  w = shown;
#ifndef BUG5
  u = used;
#endif
  n = 0; mixed = 0; i = 0;
  do :: i < u ->
        if :: live[i] && table[i] == w % 2 ->
              d_step { if :: n == 0 -> first = value[i] :: else -> mixed = mixed || value[i] != first fi; n++ }
           :: else
        fi;
        i++
     :: else -> break
  od;
#ifdef BUG2                    /* the word is not loaded again */
  same = 1;
#else
#ifdef BUG4                    /* only the bit that rows have is compared */
  same = shown % 2 == w % 2;
#else
  same = shown == w;
#endif
#endif
  if :: !same -> goto again :: else fi;
  d_step {
    assert(n == N);            /* one table, whole */
    assert(!mixed);            /* and only one */
    assert(first >= was)       /* not one that was replaced before */
  }
}

init {
  byte i;
  d_step { i = 0; do :: i < N -> live[i] = 1; i++ :: else -> break od; used = N; i = 0 }
  atomic { run Writer(); run Reader(); run Reader() }
}
