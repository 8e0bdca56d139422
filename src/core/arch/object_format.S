/* In what object formats differ: how a function and a constant begin and end,
   how C's names are spelt, and which labels do not get into the symbol table.

   Macros of the assembler, not of the preprocessor, where they are more than one
   statement: assemblers do not agree on what separates two in a line.  */

#if defined(__APPLE__)
#  define SYMBOL(name) _##name
#  define LABEL(name) L##name

        .macro  FUNCTION_BEGIN name
        .text
        .private_extern _\name
        .globl  _\name
        .p2align 4
_\name:
        .endm

        .macro  FUNCTION_END name
        .endm

        .macro  CONSTANT_BEGIN name
        .const
        .private_extern _\name
        .globl  _\name
        .p2align 3
_\name:
        .endm

        .macro  CONSTANT_END name
        .endm

#elif defined(_WIN32)
        /* On i386 C's names begin with an underscore. */
#  if defined(__i386__)
#    define SYMBOL(name) _##name
#    define LABEL(name) L##name
#  else
#    define SYMBOL(name) name
#    define LABEL(name) .L##name
#  endif

        .macro  BEGIN_FUNCTION_NAMED symbol
        .text
        .globl  \symbol
        .def    \symbol
        .scl    2
        .type   32
        .endef
        .p2align 4
\symbol:
        .endm

        .macro  BEGIN_CONSTANT_NAMED symbol
        .section .rdata, "dr"
        .globl  \symbol
        .p2align 3
\symbol:
        .endm

        .macro  FUNCTION_BEGIN name
        BEGIN_FUNCTION_NAMED SYMBOL(\name)
        .endm

        .macro  FUNCTION_END name
        .endm

        .macro  CONSTANT_BEGIN name
        BEGIN_CONSTANT_NAMED SYMBOL(\name)
        .endm

        .macro  CONSTANT_END name
        .endm

#else
#  define SYMBOL(name) name
#  define LABEL(name) .L##name

        .macro  FUNCTION_BEGIN name
        .section .text.hot, "ax", %progbits
        .globl  \name
        .hidden \name
        .type   \name, %function
        .p2align 4
\name:
        .endm

        .macro  FUNCTION_END name
        .size   \name, . - \name
        .endm

        .macro  CONSTANT_BEGIN name
        .section .rodata
        .globl  \name
        .hidden \name
        .type   \name, %object
        .p2align 3
\name:
        .endm

        .macro  CONSTANT_END name
        .size   \name, . - \name
        .endm

        /* Without it, the linker assumes that the file needs an executable
           stack. */
        .section .note.GNU-stack, "", %progbits
#endif
