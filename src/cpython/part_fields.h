/* needs: TSTATE_FIELDS, TSTATE_LATER_FIELDS.

   The thread state has the fields that somebody has looked at, and no others: a field
   that describes the running stack and does not travel would be wrong after each switch.
   So a field that a beta adds stops the compiler here.  What to do then is told in
   docs/add-a-cpython.md.

   TSTATE_FIELDS(STAYS, TRAVELS) lists the fields of x.y.0 in their order: what a greenlet
   takes along, in part or in whole, and what stays with the thread; why, the version file
   says at its beginning.  TSTATE_LATER_FIELDS(STAYS) lists what patch releases have added
   at the end since then.

   A structure of the listed fields must be laid out as PyThreadState is.  Types are
   PyThreadState's own, so this holds on every platform, and in debug builds.  A field that
   fits into padding moves nothing: tools/lint_fields.py has the compiler count. */

#ifndef GREENLET_CPYTHON_PART_FIELDS_H
#define GREENLET_CPYTHON_PART_FIELDS_H

#include <Python.h>

#include <assert.h>
#include <stddef.h>

/* NOLINTBEGIN(bugprone-macro-parentheses): the name of a member takes none. */
#define FIELD_DECLARE(name) __typeof__(((PyThreadState *)NULL)->name) name;
/* With a type, since older headers do not have the field. */
#define FIELD_DECLARE_LATER(type, name) type name;
/* NOLINTEND(bugprone-macro-parentheses) */

struct fields_listed {
    TSTATE_FIELDS(FIELD_DECLARE, FIELD_DECLARE)
};

struct fields_listed_later {
    TSTATE_FIELDS(FIELD_DECLARE, FIELD_DECLARE)
    TSTATE_LATER_FIELDS(FIELD_DECLARE_LATER)
};

#define FIELD_COMPARE(name)                                                    \
    static_assert(offsetof(PyThreadState, name)                                \
                      == offsetof(struct fields_listed, name),                 \
                  "PyThreadState has a new field somewhere before `" #name     \
                  "`: see docs/add-a-cpython.md");

TSTATE_FIELDS(FIELD_COMPARE, FIELD_COMPARE)

static_assert(sizeof(PyThreadState) == sizeof(struct fields_listed)
                  || sizeof(PyThreadState)
                         == sizeof(struct fields_listed_later),
              "PyThreadState has a new field at its end: see "
              "docs/add-a-cpython.md");

#endif
