/* Walking over a thread's record; see check.h. */

#include "check.h"

#ifdef SLICE_CHECK

#  include <stdio.h>
#  include <stdlib.h>

/* How many of the started, and of each list, are looked at in one check; where there are
   more, the next check looks at others. */
#  define AT_ONCE 64U

static void
must(bool holds, const char *invariant, const struct thread *thread)
{
    if (!holds) {
        fprintf(stderr, "thread_check: %s (thread %p)\n", invariant,
                (const void *)thread);
        abort();
    }
}

/* What holds of each greenlet that has been started, the main one included. */
static void
check_active(const struct thread *thread, const struct greenlet *greenlet)
{
    must(greenlet->slice.state == SLICE_ACTIVE, "the started are active",
         thread);
    must(greenlet->thread == thread, "the started are of this thread", thread);
    must(greenlet->object->pimpl == greenlet, "an object has its greenlet",
         thread);
    must(!greenlet->is_dying || greenlet->run == NULL,
         "what is dying runs nothing", thread);
}

static void
check_main(const struct thread *thread)
{
    check_active(thread, thread->main);
    must(greenlet_is_main(thread->main), "main is a main greenlet", thread);
    must(thread->main->parent == NULL, "main has no parent", thread);
}

static void
check_started(const struct thread *thread, uint32_t place)
{
    const struct greenlet *greenlet = thread->started[place];
    check_active(thread, greenlet);
    must(greenlet->number.place == place, "a started greenlet knows its place",
         thread);
    must(!greenlet_is_main(greenlet), "main is not among the started", thread);
    must(greenlet->parent == NULL
             || greenlet_of(greenlet->parent)->has_children,
         "a parent knows that it has children", thread);
}

static void
check_roster(const struct thread *thread)
{
    static _Atomic(uint32_t) first;
    uint32_t count = thread->started_count;
    must(count <= thread->started_capacity, "the started have room", thread);
    must(count <= thread->started_peak, "the peak is the most there were",
         thread);
    uint32_t place = count > AT_ONCE ? first++ % count : 0;
    for (uint32_t i = 0; i < count && i < AT_ONCE; i++) {
        check_started(thread, (place + i) % count);
    }
}

static void
check_running(const struct thread *thread)
{
    const struct greenlet *running = thread_running(thread);
    bool is_listed = running->number.place < thread->started_count
                     && thread->started[running->number.place] == running;
    must(running == thread->main || is_listed, "who runs has been started",
         thread);
}

static bool
is_on(const struct greenlet *list, const struct greenlet *greenlet)
{
    uint32_t count = 0;
    while (list != NULL && list != greenlet && count++ < AT_ONCE) {
        list = list->as.started.doomed_next;
    }
    return list == greenlet;
}

static void
check_doomed(const struct thread *thread)
{
    const struct greenlet *const lists[] = {thread->doomed, thread->refused};
    for (int i = 0; i < 2; i++) {
        const struct greenlet *each = lists[i];
        for (uint32_t count = 0; each != NULL && count < AT_ONCE; count++) {
            must(each->is_doomed, "what is on a list is flagged", thread);
            must(each->thread == thread, "the doomed are of this thread",
                 thread);
            must(i == 1 || !is_on(thread->refused, each),
                 "nothing is both doomed and refused", thread);
            each = each->as.started.doomed_next;
        }
    }
}

/* What other threads change as well, under this lock. */
static void
check_requests(struct thread *thread)
{
    lock_take(&thread->doom_lock);
    must(thread->attention == thread_needs_attention(thread),
         "attention is what it is derived from", thread);
    check_doomed(thread);
    lock_leave(&thread->doom_lock);
}

static void
check_spares(const struct thread *thread)
{
    int count = 0;
    const struct greenlet *each = thread->spares;
    for (; each != NULL; each = each->as.spare.next) {
        must(each->run == NULL && each->holds.args == NULL
                 && each->parent == NULL,
             "a spare holds nothing", thread);
        count++;
    }
    must(count == thread->spares_count, "spares are counted", thread);
}

void
thread_check(struct thread *thread)
{
    must(thread->handover.origin == NULL && thread->handover.value == NULL
             && thread->handover.attribute == NULL,
         "between switches nothing is handed over", thread);
    must(thread->own_references + SHARED_LOAD(thread->references) - THREAD_LIVES
             > (Py_ssize_t)thread->started_count,
         "each of the started has a reference to the record", thread);
    check_main(thread);
    check_roster(thread);
    check_running(thread);
    check_requests(thread);
    check_spares(thread);
}

void
thread_check_landing(struct thread *thread)
{
    thread->handover = (struct handover){.origin = NULL};
    thread_check(thread);
}

/* How each invariant is broken, by a greenlet of a thread in which another greenlet, the
   first of the started, is parked. */

static void
break_active(struct thread *thread)
{
    thread->started[0]->slice.state = SLICE_DEAD;
}

static void
break_owner(struct thread *thread)
{
    thread->started[0]->thread = NULL;
}

static void
break_object(struct thread *thread)
{
    thread->started[0]->object->pimpl = NULL;
}

static void
break_dying(struct thread *thread)
{
    thread->started[0]->is_dying = true;
}

static void
break_is_main(struct thread *thread)
{
    thread->main->slice.is_first = false;
}

static void
break_main_parent(struct thread *thread)
{
    thread->main->parent = thread->main->object;
}

static void
break_place(struct thread *thread)
{
    thread->started[0]->number.place = 1;
}

static void
break_main_among_started(struct thread *thread)
{
    thread->started[0]->slice.is_first = true;
}

static void
break_children(struct thread *thread)
{
    greenlet_of(thread->started[0]->parent)->has_children = false;
}

static void
break_room(struct thread *thread)
{
    thread->started_capacity = 0;
}

static void
break_peak(struct thread *thread)
{
    thread->started_peak = 0;
}

static void
break_running(struct thread *thread)
{
    struct greenlet *last = thread->started[thread->started_count - 1];
    thread->started_count = last == thread_running(thread)
                                ? thread->started_count - 1
                                : thread->started_count;
}

static void
break_flag(struct thread *thread)
{
    thread->started[0]->as.started.doomed_next = NULL;
    thread->refused = thread->started[0];
}

static void
break_doomed_owner(struct thread *thread)
{
    static struct greenlet stranger;
    stranger.is_doomed = true;
    thread->refused = &stranger;
}

static void
break_disjoint(struct thread *thread)
{
    thread->started[0]->as.started.doomed_next = NULL;
    thread->started[0]->is_doomed = true;
    thread->doomed = thread->refused = thread->started[0];
    thread_update_attention(thread);
}

static void
break_spare(struct thread *thread)
{
    static struct greenlet spare;
    spare.run = Py_None;
    spare.as.spare.next = thread->spares;
    thread->spares = &spare;
    thread->spares_count++;
}

static void
break_spares_count(struct thread *thread)
{
    thread->spares_count++;
}

static void
break_handover(struct thread *thread)
{
    thread->handover.value = Py_None;
}

static void
break_attention(struct thread *thread)
{
    thread->attention ^= ATTENTION_AFTER;
}

static void
break_references(struct thread *thread)
{
    thread->own_references = 0;
}

static const struct {
    const char *invariant;
    void (*break_it)(struct thread *thread);
} faults[] = {
    {"the started are active", break_active},
    {"the started are of this thread", break_owner},
    {"an object has its greenlet", break_object},
    {"what is dying runs nothing", break_dying},
    {"main is a main greenlet", break_is_main},
    {"main has no parent", break_main_parent},
    {"a started greenlet knows its place", break_place},
    {"main is not among the started", break_main_among_started},
    {"a parent knows that it has children", break_children},
    {"the started have room", break_room},
    {"the peak is the most there were", break_peak},
    {"who runs has been started", break_running},
    {"what is on a list is flagged", break_flag},
    {"the doomed are of this thread", break_doomed_owner},
    {"nothing is both doomed and refused", break_disjoint},
    {"a spare holds nothing", break_spare},
    {"spares are counted", break_spares_count},
    {"between switches nothing is handed over", break_handover},
    {"attention is what it is derived from", break_attention},
    {"each of the started has a reference to the record", break_references},
};

PyObject *
check_break(PyObject *module, PyObject *name)
{
    (void)module;
    const char *wanted = PyUnicode_AsUTF8(name);
    struct thread *thread = thread_last_used();
    if (wanted == NULL || thread == NULL) {
        return wanted == NULL ? NULL : Py_NewRef(Py_None);
    }
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(faults[i].invariant, wanted) == 0) {
            faults[i].break_it(thread);
            thread_check(thread);
            return Py_NewRef(Py_None);
        }
    }
    PyErr_Format(PyExc_ValueError, "no such invariant: %s", wanted);
    return NULL;
}

#endif
