/* Windows on x86: what a shadow stack that is in force means. */

#ifndef GREENLET_CORE_ARCH_SHADOW_STACK_WINDOWS_H
#define GREENLET_CORE_ARCH_SHADOW_STACK_WINDOWS_H

#include <stdbool.h>

/* Whether the calling thread's shadow stack, which it has, lets functions return to where
   stack_switch has them return; called by stack_is_guarded.

   In strict mode none may.  Otherwise those may that are not linked with /CETCOMPAT: this
   library's never are, and most others that coroutines run are the caller's, the
   interpreter. */
bool shadow_stack_binds(void);

/* Whether a module, at its address in memory, is linked with /CETCOMPAT. */
bool module_is_cetcompat(const void *module);

#endif
