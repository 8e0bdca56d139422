/* Systems on which coroutines have no stacks of their own; see mapped_stack_system.h. */

#if !defined(__unix__) && !defined(__APPLE__) && !defined(_WIN32)

#include "mapped_stack_system.h"

#include <stdlib.h>
#include <time.h>

#include "headroom.h"

size_t
system_page_size(void)
{
    return 1;
}

void *
memory_map(size_t size)
{
    return calloc(1, size);
}

void
memory_unmap(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

char *
region_map(size_t size)
{
    (void)size;
    return NULL;
}

void
region_unmap(char *low, size_t size)
{
    (void)low;
    (void)size;
}

size_t
region_trim(char *low, const char *used)
{
    (void)low;
    (void)used;
    return 0;
}

void
region_purge(char *low, size_t size)
{
    (void)low;
    (void)size;
}

bool
region_is_locked(char *page)
{
    (void)page;
    return false;
}

bool
region_vacate(char *low, size_t size)
{
    (void)low;
    (void)size;
    return false;
}

bool
region_open(char *low, size_t size)
{
    (void)low;
    (void)size;
    return true;
}

uint64_t
system_microseconds(void)
{
    return (uint64_t)time(NULL) * 1000000;
}

size_t
headroom_of_stack(void)
{
    return HEADROOM_USUAL_STACK;
}

size_t
headroom_for_stacks(size_t taken)
{
    (void)taken;
    return 0;
}

size_t
headroom_in_mappings(void)
{
    return 0;
}

#else

typedef int other_system; /* C wants every file to have something in it. */

#endif
