/* Fold, publication and removal by tombstone, of one series.
   Writers 0..NW-1 count; writer X = NW removes once. With -DALSO1 it may look then
   whether its tombstone is spent, so that it gives its room to others, and there is one
   fold. -DBUG1..4 and 6 seed faults, -DBUG5 a claim that is false. Without -DNW=1
   -DFOLDS=2 -DREADS=1, the bounds of `run`, there are some 100 million states. */
#ifdef BUG6
#define ALSO1
#endif
#ifdef ALSO1
#undef FOLDS
#define FOLDS 1
#endif
#ifndef NW
#define NW 2
#endif
#ifndef FOLDS
#define FOLDS 2
#endif
#ifndef READS
#define READS 2
#endif
#define X NW
#define FREE 0
#define WRITER 1
#define FOLDER 2

/* the directory */
bit  there[NW+1]; byte lock[NW+1]; bit marked[NW+1];
byte alive[NW+1];              /* header word: clock when last known alive */
bit  rec[NW]; bit state[NW]; bit val[NW];   /* record published, row's state, value */
bit  tomb; byte T;             /* X's tombstone, published, and its time */
bit  spent;                    /* another one has its room */
typedef Arch { byte cnt[NW]; bit taken[NW+1]; bit applied; bit carried };
Arch arc; byte gen;
byte clk = 1; bit foldlock;

/* ghosts: what the rules are about */
bit removing, removed;         /* Remove has begun, has returned */
bit gone[NW], kept[NW], acked[NW]; /* dead before Remove began; alive after it was published; counted */
bit ended[NW+1];

inline now(w) { d_step { clk++; alive[w] = clk; if :: w < NW && tomb -> kept[w] = 1 :: else fi } }

proctype Writer(byte w) {
  now(w);                      /* the slow path that makes a series stores alive first */
  rec[w] = 1;                  /* used */
  state[w] = 1;
  skip; d_step { val[w] = 1; acked[w] = 1 }
  if :: skip; now(w) :: skip fi;     /* a tick, or killed before */
  skip; d_step { lock[w] = FREE; ended[w] = 1; if :: !removing -> gone[w] = 1 :: else fi }
}

#define LIVE(w) (lock[w] != FREE && !marked[w])   /* nobody sees whose lock it is */

proctype Remover() {
  byte t, i; bit listed[NW], needed;
  removing = 1;
  skip; d_step { clk++; t = clk; T = t }
  tomb = 1;                    /* one store publishes it */
  removed = 1;
#ifdef ALSO1
  if
  :: skip;                     /* is anything left that it covers? */
#ifdef BUG6                    /* the archive is read first */
     d_step { needed = gen > 0 && !arc.applied };
#endif
     d_step { i = 0; do :: i < NW -> listed[i] = there[i]; i++ :: else -> break od; i = 0 };
     d_step { i = 0; do :: i < NW -> if :: listed[i] && there[i] && !LIVE(i) && alive[i] < T -> needed = 1 :: else fi; i++ :: else -> break od; i = 0 };
#ifndef BUG6
     d_step { if :: gen > 0 && !arc.applied -> needed = 1 :: else fi };
#endif
     d_step { if :: !needed -> spent = 1 :: else fi; needed = 0; i = 0; do :: i < NW -> listed[i] = 0; i++ :: else -> break od; i = 0 }
  :: skip
  fi;
#endif
  if :: skip; d_step { lock[X] = FREE; ended[X] = 1 } :: skip fi
}

#define COVERED(w, t) (t && alive[w] < T)

inline killed() { d_step { i = 0; do :: i <= NW -> if :: lock[i] == FOLDER -> lock[i] = FREE :: else fi; i++ :: else -> break od; foldlock = 0; i = 0 } ; goto over }
#define MAYDIE if :: skip; killed() :: skip fi

proctype Folder() {
  byte i; bit held[NW+1]; bit seen, fromx, any; Arch nw; byte n;
  do
  :: n < FOLDS ->
    n++;
    atomic { foldlock == 0 -> foldlock = 1 }
    /* finish what an earlier fold has left */
    i = 0; do :: i <= NW -> if :: arc.taken[i] && there[i] -> MAYDIE; there[i] = 0 :: else fi; i++ :: else -> break od;
#ifdef BUG1                    /* tombstones are read before it is known who is dead */
    fromx = tomb && !spent && there[X]; seen = fromx || arc.carried;
#endif
    any = 0; i = 0;
    do :: i <= NW ->
        held[i] = 0;
        if :: there[i] && lock[i] == FREE && !arc.taken[i] && ended[i] ->
#ifndef BUG4                   /* the lock is taken without the mark */
              marked[i] = 1;
#endif
              MAYDIE; lock[i] = FOLDER; held[i] = 1; any = 1
           :: else fi; i++
    :: else -> break od;
#ifndef BUG1
    fromx = tomb && !spent && there[X] && !arc.taken[X]; seen = fromx || arc.carried;
#endif
    if :: !any -> goto done
       :: else fi;
    skip; d_step {                   /* in memory: the next archive */
      i = 0;
      do :: i < NW ->
          nw.cnt[i] = (fromx && !arc.applied -> 0 : arc.cnt[i]);
          if :: held[i] && rec[i] && state[i] && !COVERED(i, seen) -> nw.cnt[i] = nw.cnt[i] + val[i] :: else fi;
          i++
      :: else -> break od;
      nw.applied = fromx || arc.applied; nw.carried = 0;
      i = 0;
      do :: i < NW ->
          if :: seen && (held[X] || arc.carried || arc.taken[X]) && there[i] && !held[i] && !arc.taken[i] && alive[i] < T -> nw.carried = 1 :: else fi;
          i++
      :: else -> break od;
#ifdef BUG2                    /* a remover's tombstone goes with its segment */
      nw.carried = 0;
#endif
      i = 0; do :: i <= NW -> nw.taken[i] = held[i] || arc.taken[i] && there[i]; i++ :: else -> break od;
    }
    MAYDIE;
    skip; d_step {                   /* rename */
      i = 0; do :: i < NW -> arc.cnt[i] = nw.cnt[i]; i++ :: else -> break od;
      i = 0; do :: i <= NW -> arc.taken[i] = nw.taken[i]; i++ :: else -> break od;
      arc.applied = nw.applied; arc.carried = nw.carried; gen++; i = 0
    }
    i = 0; do :: i <= NW -> if :: held[i] -> MAYDIE; there[i] = 0; lock[i] = FREE :: else fi; i++ :: else -> break od;
done: skip;
    foldlock = 0; i = 0;
over: skip
  :: else -> break
  od
}

proctype Reader() {
  byte i, g, r, n; bit listed[NW+1], live[NW+1], v[NW], seen, pend, xsaw; Arch a;
  bit wasacked[NW], wasremoved, had[NW];
  do
  :: n < READS ->
    n++;
    skip; d_step { i = 0; do :: i < NW -> wasacked[i] = acked[i]; i++ :: else -> break od; wasremoved = removed }
again: skip;
    g = gen;
    i = 0; do :: i <= NW -> listed[i] = there[i]; i++ :: else -> break od;
    i = 0; do :: i <= NW -> live[i] = LIVE(i); i++ :: else -> break od;  /* update: who lives */
    xsaw = listed[X] && tomb && !spent;                                            /* and what is withdrawn */
    i = 0; do :: i < NW -> v[i] = (rec[i] && state[i] -> val[i] : 0); i++ :: else -> break od;
    skip; d_step { i = 0; do :: i < NW -> a.cnt[i] = arc.cnt[i]; i++ :: else -> break od;
      i = 0; do :: i <= NW -> a.taken[i] = arc.taken[i]; i++ :: else -> break od;
      a.applied = arc.applied; a.carried = arc.carried }
#ifndef BUG3                   /* a fold may come between */
    if :: g != gen -> goto again :: else fi;
#endif
    skip; d_step {
      if :: a.taken[X] -> xsaw = 0 :: else fi;
      pend = xsaw && !a.applied; seen = xsaw || a.carried; i = 0;
      do :: i < NW ->
          r = (pend -> 0 : a.cnt[i]);
          if :: listed[i] && !(a.taken[i] && (!live[i] || marked[i])) && !(!live[i] && COVERED(i, seen)) -> r = r + v[i] :: else fi;
          assert(r <= 1);                                        /* never twice */
          assert(!(wasremoved && gone[i] && r > 0));             /* a removal is never lost */
          assert(!(wasacked[i] && r == 0 && !removing));         /* never lost */
          assert(!(wasacked[i] && kept[i] && r == 0));           /* who lived after it was published keeps its own */
#ifdef BUG5                    /* a claim that is false: nobody's count falls but those dead before */
          assert(!(wasacked[i] && !gone[i] && r == 0));
#endif
          i++
      :: else -> break od; i = 0
    }
  :: else -> break
  od
}

init {
  byte i;
  skip; d_step { i = 0; do :: i <= NW -> there[i] = 1; lock[i] = WRITER; alive[i] = 1; i++ :: else -> break od; i = 0 }
  atomic { i = 0; do :: i < NW -> run Writer(i); i++ :: else -> break od; run Remover(); run Folder(); run Reader() }
}
