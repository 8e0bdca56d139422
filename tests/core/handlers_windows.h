/* A call that handles one kind of exception, as Windows knows them, in its own frame: with
   __try where the compiler has it, otherwise with what a compiler makes of it. */

#ifndef GREENLET_TESTS_CORE_HANDLERS_WINDOWS_H
#define GREENLET_TESTS_CORE_HANDLERS_WINDOWS_H

#include <stdbool.h>
#include <windows.h>

#include "harness.h"

#define EXCEPTION 0xE0000042UL

/* EXCEPTION_EXECUTE_HANDLER if the innermost frame that handles exceptions is to handle
   this one; the test's own. */
static LONG filter(const EXCEPTION_RECORD *record);

typedef void guarded(void *argument);

/* Whether the function raises an exception that the filter wants. */
static bool raises(guarded *function, void *argument);

#if defined(__clang__) && !defined(__i386__)

static FRAME_OF_ITS_OWN bool
raises(guarded *function, void *argument)
{
    __try {
        function(argument);
    } __except (filter(GetExceptionInformation()->ExceptionRecord)) {
        return true;
    }
    return false;
}

#elif defined(__x86_64__)

/* What a __try's table names.  It lies in the function's unwind data, and there is one in
   this program; `used` and the labels are known to the assembler only. */
static __attribute__((used)) LONG
handlers_filter(EXCEPTION_POINTERS *exception, void *frame)
{
    (void)frame;
    return filter(exception->ExceptionRecord);
}

static __attribute__((noinline, noclone, used)) bool
raises(guarded *function, void *argument)
{
    volatile bool ended = false;
    __asm__ volatile(".seh_handler __C_specific_handler, @except\n\t"
                     ".seh_handlerdata\n\t"
                     ".long 1\n\t"
                     ".rva handlers_begin, handlers_end\n\t"
                     ".rva handlers_filter, handlers_end\n\t"
                     ".text\n"
                     "handlers_begin:");
    function(argument);
    ended = true;
    __asm__ volatile("nop\n"
                     "handlers_end:" ::
                         : "memory", "rbx", "rsi", "rdi", "r12", "r13", "r14",
                           "r15");
    return !ended;
}

#else

#  include <setjmp.h>
#  include <stddef.h>

/* Windows' record of this thread.  (gcc takes a constant for the address of nothing.) */
static NT_TIB *
thread_record(void)
{
    volatile DWORD place = offsetof(NT_TIB, Self);
    return (NT_TIB *)__readfsdword(place);
}

/* Part of the frame that handles exceptions. */
struct handler {
    EXCEPTION_REGISTRATION_RECORD
    record; /* first: its address is the handler's */
    jmp_buf frame;
};

static EXCEPTION_DISPOSITION CDECL
handlers_try(EXCEPTION_RECORD *record, void *frame, CONTEXT *context,
             void *dispatcher)
{
    (void)context;
    (void)dispatcher;
    bool unwinds = (record->ExceptionFlags
                    & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND))
                   != 0;
    if (!unwinds && filter(record) == EXCEPTION_EXECUTE_HANDLER) {
        struct handler *handler = frame;
        longjmp(handler->frame, 1);
    }
    return ExceptionContinueSearch;
}

static FRAME_OF_ITS_OWN bool
raises(guarded *function, void *argument)
{
    NT_TIB *thread = thread_record();
    struct handler handler;
    handler.record.Next = thread->ExceptionList;
    handler.record.Handler = (PEXCEPTION_ROUTINE)(void *)handlers_try;
    volatile bool raised = true;
    if (setjmp(handler.frame) == 0) {
        thread->ExceptionList = &handler.record;
        function(argument);
        raised = false;
    }
    thread->ExceptionList = handler.record.Next;
    return raised;
}

#endif

/* The handler that the system has for all of a thread: last in the list that there is on
   i386; NULL on other processors, where handlers are found in tables. */
static void *
last_handler(void)
{
#if defined(__i386__)
    const EXCEPTION_REGISTRATION_RECORD *record
        = thread_record()->ExceptionList;
    const EXCEPTION_REGISTRATION_RECORD *none
        = (const EXCEPTION_REGISTRATION_RECORD *)UINTPTR_MAX;
    CHECK(record != none);
    while (record->Next != none) {
        record = record->Next;
    }
    return (void *)record->Handler;
#else
    return NULL;
#endif
}

#endif
