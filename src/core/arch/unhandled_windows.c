/* Windows: exceptions that nobody in a coroutine handles.

   A thread's outermost function, which is the system's, hands them to
   UnhandledExceptionFilter: so crash reporters, faulthandler's like and the C++ runtime's
   std::terminate get to know.  Coroutines begin elsewhere, and have this handler in their
   outermost frame, stack_switch_start.  Without it the process ends without a word. */

#if defined(_WIN32)

#  include <windows.h>

EXCEPTION_DISPOSITION stack_unhandled(EXCEPTION_RECORD *record, void *frame,
                                      CONTEXT *context, void *dispatcher);

EXCEPTION_DISPOSITION
stack_unhandled(EXCEPTION_RECORD *record, void *frame, CONTEXT *context,
                void *dispatcher)
{
    (void)frame;
    (void)dispatcher;
    if (record->ExceptionFlags & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND))
    {
        return ExceptionContinueSearch;
    }
    EXCEPTION_POINTERS exception = {record, context};
    LONG answer = UnhandledExceptionFilter(&exception);
    if (answer == EXCEPTION_EXECUTE_HANDLER) {
        (void)TerminateProcess(GetCurrentProcess(), record->ExceptionCode);
    }
    return answer == EXCEPTION_CONTINUE_EXECUTION ? ExceptionContinueExecution
                                                  : ExceptionContinueSearch;
}

#else

typedef int no_windows; /* C wants every file to have something in it. */

#endif
