/* CPython's table of specialized instructions; see opcodes.h. */

#include "tstate.h"

#if FREE_THREADED

/* The interpreter's header has the table itself. */
#  define NEED_OPCODE_METADATA
#  include "internal/pycore_opcode_metadata.h"

int
opcode_as_compiled(int opcode)
{
    return opcode < MIN_INSTRUMENTED_OPCODE ? _PyOpcode_Deopt[opcode] : 0;
}

#endif
