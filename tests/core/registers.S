/* Selects the ABI, as src/core/switch.S does. */

#if defined(__APPLE__)
#  define FUNCTION_BEGIN(name) .text; .globl _##name; .p2align 4; _##name:
#  define FUNCTION_END(name)
#  define CONSTANT_BEGIN(name, bytes) .const; .globl _##name; .p2align 3; _##name:
#else
#  define FUNCTION_BEGIN(name) \
        .text; .globl name; .hidden name; .type name, %function; \
        .p2align 4; name:
#  define FUNCTION_END(name) .size name, . - name
#  define CONSTANT_BEGIN(name, bytes) \
        .section .rodata; .globl name; .hidden name; .type name, %object; \
        .size name, bytes; .p2align 3; name:
#endif

#if defined(__x86_64__) && !defined(__ILP32__) && !defined(_WIN32)
#  include "registers_x86_64_sysv.S"
#else
#  error "tests/core has no registers_NAME.S for this architecture"
#endif

CONSTANT_BEGIN(registers_count, 4)
        .long REGISTERS_COUNT

CONSTANT_BEGIN(control_bits, 8)
        .quad CONTROL_BITS

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
