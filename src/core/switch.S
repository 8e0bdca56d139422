/* Selects the architecture, and says the few things in which assemblers and
   object formats differ. */

#if defined(__APPLE__)
#  define FUNCTION_BEGIN(name) \
        .text; .private_extern _##name; .globl _##name; .p2align 4; _##name:
#  define FUNCTION_END(name)
#  define FUNCTION_CALLED(name) _##name
#  define CONSTANT_BEGIN(name) \
        .const; .private_extern _##name; .globl _##name; .p2align 2; _##name:
#else
#  define FUNCTION_BEGIN(name) \
        .section .text.hot, "ax", %progbits; \
        .globl name; .hidden name; .type name, %function; \
        .p2align 4; name:
#  define FUNCTION_END(name) .size name, . - name
#  define FUNCTION_CALLED(name) name
#  define CONSTANT_BEGIN(name) \
        .section .rodata; .globl name; .hidden name; .type name, %object; \
        .size name, 4; .p2align 2; name:
#endif

#if defined(__x86_64__) && !defined(__ILP32__) && !defined(_WIN32)
#  include "arch/x86_64_sysv.S"
#else
#  error "no stack switch for this architecture: see docs/add-an-architecture.md"
#endif

CONSTANT_BEGIN(stack_frame_size)
        .long STACK_FRAME_SIZE

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
