/* Lists of greenlets that wait for their end; see doomed.h. */

#include "doomed.h"

#include "core/compiler.h"

#include <stdatomic.h>

/* In all interpreters; for tests only. */
static _Atomic(Py_ssize_t) waiting;

static void
count_waiting(Py_ssize_t change)
{
    atomic_fetch_add_explicit(&waiting, change, memory_order_relaxed);
}

Py_ssize_t
doomed_count(void)
{
    return atomic_load_explicit(&waiting, memory_order_relaxed);
}

void
doomed_push(struct greenlet **list, struct greenlet *greenlet)
{
    assert(!greenlet->is_doomed && greenlet->thread != NULL);
    greenlet->is_doomed = true;
    greenlet->as.started.doomed_next = *list;
    SHARED_STORE(*list, greenlet);
    count_waiting(1);
}

/* Take the greenlet that was put there last off a list, with its reference. */
static struct greenlet *
list_pop(struct greenlet **list)
{
    struct greenlet *greenlet = *list;
    if (greenlet != NULL) {
        SHARED_STORE(*list, greenlet->as.started.doomed_next);
        greenlet->as.started.doomed_next = NULL;
        greenlet->is_doomed = false;
        count_waiting(-1);
    }
    return greenlet;
}

static bool
list_remove(struct greenlet **list, const struct greenlet *greenlet)
{
    while (*list != NULL && *list != greenlet) {
        list = &(*list)->as.started.doomed_next;
    }
    return list_pop(list) != NULL;
}

static void
list_release(struct greenlet **list)
{
    struct greenlet *greenlet;
    while ((greenlet = list_pop(list)) != NULL) {
        Py_DECREF(greenlet->object);
    }
}

void
doomed_let_go(struct thread *thread)
{
    list_release(&thread->doomed);
    list_release(&thread->refused);
}

struct greenlet *
doomed_next(struct thread *thread)
{
    lock_take(&thread->doom_lock);
    struct greenlet *greenlet = list_pop(&thread->doomed);
    lock_leave(&thread->doom_lock);
    thread_update_attention(thread);
    return greenlet;
}

static OUT_OF_LINE void
forgive(struct thread *thread, struct greenlet *greenlet)
{
    lock_take(&thread->doom_lock);
    bool was_listed = list_remove(&thread->refused, greenlet)
                      || list_remove(&thread->doomed, greenlet);
    lock_leave(&thread->doom_lock);
    thread_update_attention(thread);
    if (was_listed) {
        Py_DECREF(greenlet->object); /* not the last: it is running */
    }
}

void
doomed_forgive(struct thread *thread, struct greenlet *greenlet)
{
    if (greenlet->is_doomed) {
        forgive(thread, greenlet);
    }
}
