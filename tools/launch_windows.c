/* Makes a python.exe: all that it does is in CPython's library.  It begins without MinGW's C
   runtime, which would take exceptions that nobody handles for its own; as programs that
   Microsoft's compiler has made do, it ends the process with abort() for those of C++. */

#include <windows.h>

#include <shellapi.h>

#define CPP_EXCEPTION 0xE06D7363

__declspec(dllimport) int Py_Main(int argc, wchar_t **argv);
__declspec(dllimport) void abort(void);

void start(void);

static LONG WINAPI
filter(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode == CPP_EXCEPTION) {
        abort();
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

void
start(void)
{
    int argc;
    wchar_t **argv = CommandLineToArgvW(GetCommandLineW(), &argc);
    SetUnhandledExceptionFilter(filter);
    ExitProcess((UINT)Py_Main(argc, argv));
}
