/* Replace of a family's series while others read: rows of the next round are laid
   out, then one word says that they are the family's. What had been shown before
   stays in its rows, which rest before they are used again. Who reads for so long
   that they may have been used again begins anew.
   A round has a number that comes again after MANY (in segments: 2^24) of them; the
   word is larger, and does not repeat.
   -DBUG1..7 seed faults. */
#define N 2                    /* series of a round */
#define ROUNDS 4
#define ROWS 6
#define SERIES 250             /* for rests: the row is a series' of the round that is shown, or that is laid out */
#ifndef BUG7
#define MANY 3
#else                          /* numbers come again while rows of the round rest */
#define MANY 2
#endif

/* the segment */
byte used;                     /* how many records there are; one gives a row to a series */
byte shown;                    /* the word */
byte record[N*ROUNDS], round[N*ROUNDS]; /* its row, and the number of its round; its place is its generation */
bit  live[ROWS]; byte generation[ROWS], value[ROWS];

/* ghosts: what the rules are about */
byte acked;                    /* the last replacement that has returned */
byte rests[ROWS];              /* until it is this round's turn; 0 if nobody had the row */
bit  late;                     /* the reader reads for longer than rows rest */

proctype Writer() {            /* may be killed at any step */
  byte i, r, next = 1;
  do :: next < ROUNDS ->
#ifdef BUG1                    /* the word comes first */
        shown = next;
#endif
#ifdef BUG3                    /* the old rows are taken out first */
        r = 0; do :: r < ROWS -> live[r] = 0; r++ :: else -> break od;
#endif
        i = 0;
        do :: i < N ->
              d_step {         /* a row that has rested, or else a fresh one */
                r = 0; do :: r < ROWS && rests[r] > next -> r++ :: else -> break od;
                assert(r < ROWS);
                if :: rests[r] -> late = 1 :: else fi;
                rests[r] = SERIES
              };
              live[r] = 0;
              value[r] = 0;
              d_step { record[used] = r; round[used] = next % MANY };
              used++;
              d_step { generation[r] = used - 1; live[r] = 1 };
              value[r] = next;
              if :: skip :: goto dead fi;
              i++
           :: else -> break
        od;
        shown = next;
        acked = next;
        /* the old rows rest, for a round, with what they have */
        r = 0;
        do :: r < ROWS ->
              if :: rests[r] == SERIES && value[r] != next ->
#ifdef BUG6                    /* they are taken out at once */
                    live[r] = 0;
#endif
                    rests[r] = next + 2
                 :: else
              fi;
              r++
           :: else -> break
        od;
        next++
     :: else -> break
  od;
dead: skip
}

proctype Reader() {
  byte i, u, w, n, first, was; bit mixed, same;
again: skip;
  d_step { was = acked; late = 0 }
#ifdef BUG5                    /* records are read before the word */
  u = used;
#endif
  w = shown;
#ifndef BUG5
  u = used;
#endif
#ifdef BUG4                    /* the word is loaded again with the rows, whose records are not */
  w = shown;
#endif
  n = 0; mixed = 0; i = 0;
  do :: i < u ->
        if :: round[i] == w % MANY && live[record[i]] && generation[record[i]] == i ->
              d_step { if :: n == 0 -> first = value[record[i]] :: else -> mixed = mixed || value[record[i]] != first fi; n++ }
           :: else
        fi;
        i++
     :: else -> break
  od;
#ifdef BUG2                    /* however long it took */
  same = 1;
#else
  same = !late || shown == w;
#endif
  if :: !same -> goto again :: else fi;
  d_step {
    assert(n == N);            /* one round, whole */
    assert(!mixed);            /* and only one */
    assert(first >= was)       /* not one that was replaced before */
  }
}

init {
  byte i;
  d_step {
    i = 0; do :: i < N -> record[i] = i; generation[i] = i; live[i] = 1; rests[i] = SERIES; i++ :: else -> break od;
    used = N; i = 0
  }
  atomic { run Writer(); run Reader() }
}
