/* A series that leaves because nobody updates it, while others update it through their
   handles. Two handles of the same labels: that of a writer who has held it for long,
   and one that is given out when the series is not there (With). A look takes the series
   out if its words are as at the look before; the writer of an update adds first and
   asks then whether the series is away. A page shows the series of the set.
   A counter has one word; an observation adds to a count, then to a sum.
   -DBUG1..5 seed faults; -DALSO1 has the words be closed instead of drained (gauges). */
#define HANDLES 2
#define UPDATES 2              /* of each of two writers */

/* a handle */
mtype = { fresh, there, leaving, expired };
mtype state[HANDLES];          /* the created time, and the bit of away */
byte count[HANDLES], sum[HANDLES]; /* the words */
bit  shut[HANDLES];            /* the word is closed (ALSO1) */
byte seen[HANDLES];            /* the count at the last look */
byte target[HANDLES];          /* where updates go once the series has left; HANDLES for none */

/* the table */
byte member;                   /* the handle whose series is in the set; HANDLES if there is none */
bit  lock;

/* ghosts */
byte counted;                  /* what writers have updated, from the beginning of each */
byte before, sumbefore;        /* what lives that are over had, as they were seen */

inline acquire() { atomic { lock == 0 -> lock = 1 } }
inline release() { lock = 0 }

/* moves what was counted late; the lock is held */
inline pour(from, to) {
  v = count[from]; count[from] = count[from] - v;
  count[to] = count[to] + v;
  v = sum[from]; sum[from] = sum[from] - v;
  sum[to] = sum[to] + v
}

/* brings h back, or leads it to the series of its labels */
inline bringback(h) {
  acquire();
  if :: state[h] != expired -> t = h
     :: else ->
        if :: member == HANDLES ->
#ifdef ALSO1
              shut[h] = 0;
#endif
              target[h] = HANDLES;
#ifdef BUG4                    /* what was counted late is thrown away */
              count[h] = 0; sum[h] = 0;
#endif
              state[h] = there; member = h; t = h
           :: else -> t = member; pour(h, t); target[h] = t
        fi
  fi;
  release()
}

/* one update through h */
inline update(h) {
  counted++;
#ifdef ALSO1
  x = h;
  do :: atomic { !shut[x] -> count[x] = count[x] + 1 }; break /* compare-and-swap */
     :: shut[x] -> bringback(x); x = t
  od
#else
  count[h] = count[h] + 1;
  sum[h] = sum[h] + 1;
#ifndef BUG1                   /* the writer does not look */
  if :: state[h] == leaving || state[h] == expired -> bringback(h)
     :: else
  fi
#endif
#endif
}

proctype Writer(bit with) {
  byte i, t, v, x, h;
  do :: i < UPDATES -> update(h); i++
     :: i < UPDATES && with -> /* With: the series that is there, or a new one */
        acquire();
        if :: member != HANDLES -> h = member
           :: member == HANDLES && state[1] == fresh -> state[1] = there; member = 1; h = 1
           :: else -> h = 0
        fi;
        release();
        update(h); i++
     :: else -> break
  od
}

proctype Looks() {             /* collections; any time may pass between them */
  byte n, m, v, c, s;
  do :: n < 5 ->
        acquire();
        m = member;
        if :: m == HANDLES
           :: else ->
              v = count[m];
              if :: v != seen[m] -> seen[m] = v
                 :: else ->
#ifdef ALSO1
                    atomic {         /* compare-and-swap of the word */
                      if :: count[m] == v -> shut[m] = 1 :: else -> goto stays fi
                    };
                    state[m] = leaving;
                    before = before + count[m]; count[m] = 0;
                    state[m] = expired; member = HANDLES; seen[m] = 0;
#else
#ifndef BUG2                   /* the mark comes after the reading */
                    state[m] = leaving;
#endif
#ifdef BUG3                    /* the count is drained before the sum */
                    c = count[m]; count[m] = count[m] - c;
                    s = sum[m]; sum[m] = sum[m] - s;
#else
                    s = sum[m]; sum[m] = sum[m] - s;
                    c = count[m]; count[m] = count[m] - c;
#endif
#ifdef BUG5                    /* it leaves with whatever it has */
                    v = c;
#endif
                    if :: c == v ->
                          before = before + seen[m]; sumbefore = sumbefore + s;
                          assert(sumbefore <= before); /* no sum without its count */
                          state[m] = expired; member = HANDLES; seen[m] = 0
                       :: else ->
                          count[m] = count[m] + c; sum[m] = sum[m] + s;
                          state[m] = there; goto stays
                    fi;
#endif
                    skip
              fi;
stays:        skip
        fi;
        release();
        n++
     :: break
  od
}

init {
  byte i;
  atomic {
    target[0] = HANDLES; target[1] = HANDLES;
    state[0] = there; state[1] = fresh; member = 0;
    run Writer(0); run Writer(1); run Looks()
  };
  _nr_pr == 1;                 /* all have ended */
  /* what was counted is in lives that are over, as looks saw them, or in the series
     that is there; nothing is left where nobody sees it */
  assert(member == HANDLES || state[member] == there);
  i = 0;
  do :: i < HANDLES -> assert(i == member || count[i] == 0 && sum[i] == 0); i++
     :: else -> break
  od;
  if :: member == HANDLES -> assert(before == counted)
     :: else -> assert(before + count[member] == counted)
  fi;
#ifndef ALSO1
  if :: member == HANDLES -> assert(sumbefore == counted)
     :: else -> assert(sumbefore + sum[member] == counted)
  fi
#endif
}
