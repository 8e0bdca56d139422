/* What specialized instructions were compiled as, for free-threaded builds. */

#ifndef GREENLET_CPYTHON_OPCODES_H
#define GREENLET_CPYTHON_OPCODES_H

/* The opcode that the compiler made, of an instruction as it is executed.  0 if that is
   not known, since tools or the JIT have replaced it.  Runs no Python code. */
int opcode_as_compiled(int opcode);

#endif
