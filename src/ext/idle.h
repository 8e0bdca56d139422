/* Greenlets that have been parked for long do not keep stacks of their own.

   A stack of its own is for a greenlet that switches now and then.  One that waits for
   minutes, as the connections of a server do, holds whole pages and a page of page tables
   for a few KiB.  So after `idle` seconds (greenlet.stack_policy) its bytes move into the
   heap, until it is resumed (vacated.c).

   Nobody is told how long a greenlet has been parked: that would be a store at each switch.
   Instead a hand goes round the greenlets of a thread and notes which of them it finds
   parked; a switch to a greenlet takes the note away.  Who still has it `idle` seconds later
   has been idle: a second hand finds it.  The hands move in switches: there is no other
   thread, no signal and no timer.  The clock is looked at every WATCH_INTERVAL switches, or
   more often where switches are rare, and the hands may take a BUDGET_SHAREth of the time
   that has passed since they moved last, but no more than BUDGET_MOST at once.

   To leave a stack and to come back takes some 20 microseconds.  So each time that a greenlet
   comes back it keeps its stack for twice as long as before, RETURNS_COUNTED times.

   Greenlets of a thread that has FEW stacks keep them, and all do if the mode is 'own': C
   code may rely on it that nothing of them moves. */

#ifndef GREENLET_EXT_IDLE_H
#define GREENLET_EXT_IDLE_H

#include "thread.h"

/* The witness of the stack machine (`watch` in slice.h) that moves the hands.  Runs no Python
   code. */
slice_witness idle_watch;

#endif
