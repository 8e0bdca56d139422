/* Where a debugger finds what it wants to know of greenlets.

   src/greenlet/gdb.py follows these fields in a process or in a core file.  The
   library that people use has no debug information; so the little that is
   needed is a table in it, which nothing but a debugger reads. */

#include "thread.h"

#if defined(__GNUC__)
#  define KEPT __attribute__((used))
#else
#  define KEPT
#endif

/* As gdb.py reads them; an empty name ends the table. */
struct debug_field {
    char name[32];
    uint32_t offset;
    uint32_t size;
};

static_assert(sizeof(struct debug_field) == 40, "gdb.py knows this layout");

#define POINTER(type, field)                                                   \
    {#type "." #field, offsetof(struct type, field), sizeof(void *)}
#define NUMBER(type, field)                                                    \
    {#type "." #field, offsetof(struct type, field),                           \
     sizeof(((struct type *)NULL)->field)}

extern const struct debug_field greenlet_debug_layout[];

KEPT const struct debug_field greenlet_debug_layout[] = {
    POINTER(_greenlet, pimpl),
    {"greenlet.slice", offsetof(struct greenlet, slice), sizeof(struct slice)},
    POINTER(greenlet, thread),
    POINTER(greenlet, interpreter.visible),
    POINTER(greenlet, parent),
    POINTER(greenlet, run),
    POINTER(greenlet, slice.near),
    POINTER(greenlet, slice.far),
    POINTER(greenlet, slice.copy),
    NUMBER(greenlet, slice.saved_size),
    NUMBER(greenlet, slice.state),
    NUMBER(greenlet, slice.has_own_stack),
    POINTER(thread, stack.current),
    POINTER(thread, tstate),
    {"heap_copy.memory", offsetof(struct heap_copy, memory), CACHE_LINE},
    {"mapped_stack", 0, sizeof(struct mapped_stack)},
    POINTER(mapped_stack, pool),
    NUMBER(stack_pool, room_unused),
    {"greenlet.room.unused",
     offsetof(struct greenlet, interpreter)
         + offsetof(struct slice_room, unused),
     sizeof(void *)},
    {"", 0, 0},
};
