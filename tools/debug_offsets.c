/* Writes what a CPython's headers say of where its structs have their fields: the table
   that debuggers of other processes read, numbers of 64 bits.  The largest number stands
   for what need not be the same in a program that is to have these headers. */

#define Py_BUILD_CORE 1
#include <Python.h>

#include "internal/pycore_code.h"
#include "internal/pycore_debug_offsets.h"
#include "internal/pycore_genobject.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_tstate.h"
#include "internal/pycore_unicodeobject.h"

static struct _Py_DebugOffsets table = _Py_DebugOffsets_INIT(_Py_Debug_Cookie);

int
main(void)
{
#if PY_VERSION_HEX >= 0x030F0000
    /* 3.15.1 made the collector's statistics larger: they are allocated apart, and only
       the collector looks at them. */
    table.gc.generation_stats_size = UINT64_MAX;
#endif
    return fwrite(&table, sizeof(table), 1, stdout) == 1 ? 0 : 1;
}
