/* CPython's table of specialized instructions; see opcodes.h. */

#include "opcodes.h"

#include "tstate.h"

#if FREE_THREADED

/* The interpreter's header has the table itself, and others that it would have us export. */
#  undef PyAPI_DATA
#  define PyAPI_DATA(type) extern type
#  define NEED_OPCODE_METADATA
#  include "internal/pycore_opcode_metadata.h"

int
opcode_as_compiled(int opcode)
{
    return opcode < MIN_INSTRUMENTED_OPCODE ? _PyOpcode_Deopt[opcode] : 0;
}

#endif
