/* What the system allows the process, as far as stacks are concerned.

   The limits of a process can change at any time, by its own doing or from
   outside, and nobody is told.  So each of these functions asks the system,
   which takes some system calls; only what is set for all processes (vm.*) is
   asked for once.  They are part of mapped_stack_posix.c and its like. */

#ifndef GREENLET_CORE_HEADROOM_H
#define GREENLET_CORE_HEADROOM_H

#include <stddef.h>

/* How large a stack is taken to be if the system does not say. */
#define HEADROOM_USUAL_STACK ((size_t)8 * 1024 * 1024)

/* Stacks may take an eighth of all addresses. */
#define HEADROOM_SHARE ((size_t)8)

/* How far the calling thread's own stack may reach, in bytes; SIZE_MAX if nothing
   limits it.  Where RLIMIT_STACK is, a process's first thread may go as far as that says
   at the time; others as far as they could when they began.  It never shrinks: a stack keeps what it
   has grown to.  At least HEADROOM_USUAL_STACK. */
size_t headroom_of_stack(void);

/* How many bytes stacks may take in all: at most HEADROOM_SHARE of what can be
   addressed, and a sixteenth of what would be left without the `taken` bytes of
   the stacks that exist.  What is left is what RLIMIT_AS and RLIMIT_DATA still
   allow and, where the system must be able to back all that is mapped
   (vm.overcommit_memory 2), what it can still back.  Nothing counts as left if
   that cannot be found out. */
size_t headroom_for_stacks(size_t taken);

/* How many mappings a process may have. */
size_t headroom_in_mappings(void);

/* Where the system does not say. */
#define HEADROOM_USUAL_MAPPINGS 65530UL

#endif
