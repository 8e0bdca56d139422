/* Selects the architecture.  Each of these files is for one ABI, on all systems that
   have it. */

#include "object_format.S"

#if defined(__x86_64__) && !defined(__ILP32__) && defined(_WIN32)
#  include "x86_64_windows.S"
#elif defined(__x86_64__) && !defined(__ILP32__)
#  include "x86_64_sysv.S"
#elif defined(__i386__) && defined(_WIN32)
#  include "i386_windows.S"
#elif defined(__i386__)
#  include "i386_sysv.S"
#elif defined(__aarch64__) && (defined(__LP64__) || defined(_WIN32))
#  include "aarch64_aapcs64.S"
#elif defined(__arm__) && defined(__ARM_EABI__)
#  include "arm_aapcs32.S"
#elif defined(__riscv)
#  include "riscv.S"
#elif defined(__powerpc64__) && _CALL_ELF == 2
#  include "ppc64_elfv2.S"
#elif defined(__s390x__)
#  include "s390x_elf.S"
#elif defined(__loongarch__) && __loongarch_grlen == 64
#  include "loongarch64_lp64.S"
#elif defined(__mips__) && defined(_ABI64) && _MIPS_SIM == _ABI64
#  include "mips64_n64.S"
#else
#  error "no stack switch for this architecture: see docs/add-an-architecture.md"
#endif

        CONSTANT_BEGIN stack_frame_size
        .long   STACK_FRAME_SIZE
        CONSTANT_END stack_frame_size
