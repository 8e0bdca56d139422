/* What Windows provides for stacks; see mapped_stack_system.h and headroom.h.

   A region is reserved, and made accessible (committed) as it is used, which is
   how the system treats the stacks of threads and fibers:

        low                                        size
         | reserved | one guard page | accessible  |
                                      ^ limit       ^ base

   Whoever touches the guard page makes it accessible, and the page below it the
   guard, if the thread's environment block (TEB) says that this is the thread's
   stack.  At the low end that is a stack overflow, as on any stack. */

#if defined(_WIN32)

#include <windows.h>

#include <stdint.h>

#include "mapped_stack_system.h"

#include "headroom.h"

/* On all processors on which there is Windows. */
#define PAGE ((size_t)4096)

/* The end of the list of exception handlers. */
#define NO_HANDLERS ((void *)UINTPTR_MAX)

/* Fields of the TEB that headers do not have, and all versions do. */
#if defined(_WIN64)
#  define TEB_DEALLOCATION_STACK 0x1478
#  define TEB_GUARANTEED_BYTES 0x1748
#else
#  define TEB_DEALLOCATION_STACK 0xE0C
#  define TEB_GUARANTEED_BYTES 0xF78
#endif

#if defined(__GNUC__) && !defined(__clang__)
/* MinGW's header reads the TEB's own address from a constant address. */
#  pragma GCC diagnostic ignored "-Warray-bounds"
#endif

static char **
teb_low(void)
{
    return (char **)((char *)NtCurrentTeb() + TEB_DEALLOCATION_STACK);
}

static ULONG *
teb_guaranteed(void)
{
    return (ULONG *)((char *)NtCurrentTeb() + TEB_GUARANTEED_BYTES);
}

/* ---- The end of a thread ---- */

/* Of each thread: the low end of the stack that the system gave it, if it has mapped
   others. */
static DWORD thread_low = TLS_OUT_OF_INDEXES;

/* A thread's first stack of its own is mapped when it still runs on the system's. */
static void
note_thread_low(void)
{
    if (TlsGetValue(thread_low) == NULL) {
        (void)TlsSetValue(thread_low, *teb_low());
    }
}

/* A thread that ends in a coroutine (_endthreadex) leaves the system the stack to free
   that the TEB names.  That must not be the coroutine's. */
static void NTAPI
thread_changes(void *module, DWORD reason, void *reserved)
{
    (void)module;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        thread_low = TlsAlloc();
    }
    else if (reason == DLL_THREAD_DETACH && TlsGetValue(thread_low) != NULL) {
        *teb_low() = TlsGetValue(thread_low);
    }
}

/* Where linkers collect such functions, in the order of the sections' names. */
__attribute__((
    used,
    section(".CRT$XLG"))) static const PIMAGE_TLS_CALLBACK thread_changes_entry
    = thread_changes;

/* ---- Memory ---- */

size_t
system_page_size(void)
{
    return PAGE;
}

void *
memory_map(size_t size)
{
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void
memory_unmap(void *memory, size_t size)
{
    (void)size;
    (void)VirtualFree(memory, 0, MEM_RELEASE);
}

static char *
lowest_accessible(char *low, size_t size)
{
    return low + size - KEPT_SIZE;
}

char *
region_map(size_t size)
{
    char *low = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);
    if (low == NULL) {
        return NULL;
    }
    char *limit = lowest_accessible(low, size);
    DWORD before;
    if (VirtualAlloc(limit - PAGE, PAGE + KEPT_SIZE, MEM_COMMIT, PAGE_READWRITE)
            == NULL
        || !VirtualProtect(limit - PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD,
                           &before))
    {
        region_unmap(low, size);
        return NULL;
    }
    note_thread_low();
    return low;
}

void
region_unmap(char *low, size_t size)
{
    (void)size;
    (void)VirtualFree(low, 0, MEM_RELEASE);
}

/* The addresses stay reserved as long as any of them is. */
size_t
region_trim(char *low, const char *used)
{
    size_t unused = (size_t)(used - low);
    (void)VirtualFree(low, unused - unused % PAGE, MEM_DECOMMIT);
    return 0;
}

/* The guard page comes first: it needs no memory, so this cannot fail half-way. */
void
region_purge(char *low, size_t size)
{
    char *guard = lowest_accessible(low, size) - PAGE;
    DWORD before;
    if (VirtualProtect(guard, PAGE, PAGE_READWRITE | PAGE_GUARD, &before)) {
        (void)VirtualFree(low, (size_t)(guard - low), MEM_DECOMMIT);
    }
}

bool
region_is_locked(char *page)
{
    (void)page;
    return false;
}

/* A stack would have to be accessible again as far as it has grown, with its guard page
   below: it is left alone. */
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
    return (uint64_t)GetTickCount64() * 1000;
}

/* ---- What the system knows of the running stack ---- */

/* A new stack guarantees as many bytes as the one that the calling thread is on. */
void
stack_limits_init(struct stack_limits *limits, char *low, size_t size)
{
    limits->base = low + size;
    limits->limit = lowest_accessible(low, size);
    limits->low = low;
    limits->guaranteed = *teb_guaranteed();
    limits->handlers = NO_HANDLERS;
}

void
stack_limits_note(struct stack_limits *left)
{
    const NT_TIB *teb = (const NT_TIB *)NtCurrentTeb();
    left->base = teb->StackBase;
    left->limit = teb->StackLimit;
    left->low = *teb_low();
    left->guaranteed = *teb_guaranteed();
    left->handlers = teb->ExceptionList;
}

void
stack_limits_set(const struct stack_limits *entered)
{
    NT_TIB *teb = (NT_TIB *)NtCurrentTeb();
    teb->StackBase = entered->base;
    teb->StackLimit = entered->limit;
    *teb_low() = entered->low;
    *teb_guaranteed() = entered->guaranteed;
    teb->ExceptionList = entered->handlers;
}

/* ---- Limits ---- */

/* Stacks are reserved: what counts is how many addresses there are. */
size_t
headroom_for_stacks(size_t taken)
{
    (void)taken;
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    return (uintptr_t)system.lpMaximumApplicationAddress / HEADROOM_SHARE;
}

/* Windows has no such limit, but Wine has that of Linux; and what is accessible of each stack
   counts as used, touched or not. */
size_t
headroom_in_mappings(void)
{
    return HEADROOM_USUAL_MAPPINGS;
}

/* First asked before a thread's first stack of its own is mapped. */
size_t
headroom_of_stack(void)
{
    static _Thread_local size_t reach;
    if (reach == 0) {
        struct stack_limits own;
        stack_limits_note(&own);
        reach = (size_t)(own.base - own.low);
        reach = reach > HEADROOM_USUAL_STACK ? reach : HEADROOM_USUAL_STACK;
    }
    return reach;
}

#else

typedef int no_windows_stacks; /* C wants every file to have something in it. */

#endif
