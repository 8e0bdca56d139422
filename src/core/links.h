/* Lists of structures that know their neighbours, in no order.  A structure that is to be in
   such a list begins with its `struct links`. */

#ifndef GREENLET_CORE_LINKS_H
#define GREENLET_CORE_LINKS_H

#include <stdbool.h>
#include <stddef.h>

struct links {
    struct links *next;     /* NULL in the last one */
    struct links *previous; /* NULL in the first one */
};

/* Put a structure that is in no list before the first one of `*list`. */
static inline void
links_add(struct links **list, struct links *links)
{
    links->previous = NULL;
    links->next = *list;
    if (links->next != NULL) {
        links->next->previous = links;
    }
    *list = links;
}

/* Take a structure out of the list that it is in. */
static inline void
links_remove(struct links **list, struct links *links)
{
    if (links->previous != NULL) {
        links->previous->next = links->next;
    }
    else {
        *list = links->next;
    }
    if (links->next != NULL) {
        links->next->previous = links->previous;
    }
}

/* Is a structure the only one of its list? */
static inline bool
links_are_only(const struct links *links)
{
    return links->previous == NULL && links->next == NULL;
}

#endif
