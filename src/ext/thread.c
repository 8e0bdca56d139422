/* What a thread record counts and lists; see thread.h. */

#include "thread.h"

#include <stdatomic.h>

/* For how many started greenlets there is room at first. */
#define STARTED_SMALLEST 16

_Thread_local struct thread *thread_cached;

uint64_t
thread_native(void)
{
    static _Atomic(uint64_t) last;
    static _Thread_local uint64_t number;
    if (number == 0) {
        number = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
    }
    return number;
}

void
thread_hold(struct thread *thread)
{
    atomic_fetch_add(&thread->holders, 1);
}

void
thread_let_go(struct thread *thread)
{
    if (atomic_fetch_sub(&thread->holders, 1) == 1) {
        PyMem_RawFree(thread);
    }
}

/* Afterwards there is room for half as many again. */
int
thread_resize_started(struct thread *thread)
{
    size_t count = thread->started_count;
    size_t capacity = count + count / 2 + STARTED_SMALLEST;
    if (capacity > UINT32_MAX) {
        return -1;
    }
    struct greenlet **started = PyMem_RawRealloc(
        thread->started, capacity * sizeof(struct greenlet *));
    if (started == NULL) {
        return -1;
    }
    thread->started = started;
    thread->started_capacity = (uint32_t)capacity;
    return 0;
}

void
thread_shrink_started(struct thread *thread)
{
    thread->started_peak = thread->started_count;
    (void)thread_resize_started(thread);
}

void
thread_update_attention(struct thread *thread)
{
    lock_take(&thread->doom_lock);
    SHARED_STORE(thread->attention, thread_needs_attention(thread));
    lock_leave(&thread->doom_lock);
}
