/* Selects the ABI, as src/core/arch/switch.S does. */

#include "core/arch/object_format.S"

#if defined(__x86_64__) && !defined(__ILP32__) && defined(_WIN32)
#  include "registers_x86_64_windows.S"
#elif defined(__x86_64__) && !defined(__ILP32__)
#  include "registers_x86_64_sysv.S"
#elif defined(__i386__)
#  include "registers_i386.S"
#elif defined(__aarch64__) && (defined(__LP64__) || defined(_WIN32))
#  include "registers_aarch64_aapcs64.S"
#elif defined(__arm__) && defined(__ARM_EABI__)
#  include "registers_arm_aapcs32.S"
#elif defined(__riscv)
#  include "registers_riscv.S"
#elif defined(__powerpc64__) && _CALL_ELF == 2
#  include "registers_ppc64_elfv2.S"
#elif defined(__s390x__)
#  include "registers_s390x_elf.S"
#elif defined(__loongarch__) && __loongarch_grlen == 64
#  include "registers_loongarch64_lp64.S"
#elif defined(__mips__) && defined(_ABI64) && _MIPS_SIM == _ABI64
#  include "registers_mips64_n64.S"
#else
#  error "tests/core has no registers_NAME.S for this architecture"
#endif

        CONSTANT_BEGIN registers_count
        .long   REGISTERS_COUNT
        CONSTANT_END registers_count

        CONSTANT_BEGIN registers_in_dwarf_count
        .long   REGISTERS_IN_DWARF
        CONSTANT_END registers_in_dwarf_count

        CONSTANT_BEGIN control_bits
        .quad   CONTROL_BITS
        CONSTANT_END control_bits
