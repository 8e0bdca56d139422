/* RISC-V; src/core/arch/riscv.S cites the ABI.

   Words of `values`: s0 to s11, and then fs0 to fs11 if there are such registers.
   The control number is the rounding mode. */

#if __riscv_xlen == 64
#  define WORD 8
#  define STORE sd
#  define LOAD ld
#else
#  define WORD 4
#  define STORE sw
#  define LOAD lw
#endif

#if defined(__riscv_float_abi_double)
#  define REGISTERS_COUNT 24
#  define STORE_FLOAT fsd
#  define LOAD_FLOAT fld
#elif defined(__riscv_float_abi_single)
#  define REGISTERS_COUNT 24
#  define STORE_FLOAT fsw
#  define LOAD_FLOAT flw
#else
#  define REGISTERS_COUNT 12
#endif

/* Of a wider register than the unwinder's words it is not to be asked. */
#if defined(__riscv_float_abi_double) && __riscv_xlen == 64
#  define REGISTERS_IN_DWARF 24
#else
#  define REGISTERS_IN_DWARF 12
#endif

/* Exceptions that have occurred (0 to 4), rounding (5 to 7).  Some of the modes are not
   defined, but the register holds all three bits. */
#define CONTROL_BITS 0xff

#define FRAME_SIZE 272

        .macro  SAVE register, number
        STORE   \register, (\number * WORD)(sp)
        .cfi_rel_offset \register, \number * WORD
        .endm

        .macro  RESTORE register, number
        LOAD    \register, (\number * WORD)(sp)
        .cfi_restore \register
        .endm

        .macro  SAVE_FLOAT register, number
        STORE_FLOAT \register, (16 * WORD + \number * 8)(sp)
        .cfi_rel_offset \register, 16 * WORD + \number * 8
        .endm

        .macro  RESTORE_FLOAT register, number
        LOAD_FLOAT \register, (16 * WORD + \number * 8)(sp)
        .cfi_restore \register
        .endm

        /* t0 |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        LOAD    t2, (8 * \number)(t1)
        xor     t2, t2, \register
        snez    t2, t2
        slli    t2, t2, \number
        or      t0, t0, t2
        .endm

        /* Through memory, since a register of the processor may be too small. */
        .macro  COMPARE_FLOAT register, number
        STORE_FLOAT \register, (15 * WORD)(sp)
        .if     WORD == 4
        lw      t3, (15 * WORD)(sp)
        COMPARE t3, \number
#if defined(__riscv_float_abi_double)
        lw      t3, (15 * WORD + 4)(sp)
        lw      t2, (8 * \number + 4)(t1)
        xor     t2, t2, t3
        snez    t2, t2
        slli    t2, t2, \number
        or      t0, t0, t2
#endif
        .else
        ld      t3, (15 * WORD)(sp)
        COMPARE t3, \number
        .endif
        .endm

        /* Words 13 and 14 are for `values` and `outcome`, 15 for a comparison. */
        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        addi    sp, sp, -FRAME_SIZE
        .cfi_def_cfa_offset FRAME_SIZE
        SAVE    ra, 0
        SAVE    s0, 1
        SAVE    s1, 2
        SAVE    s2, 3
        SAVE    s3, 4
        SAVE    s4, 5
        SAVE    s5, 6
        SAVE    s6, 7
        SAVE    s7, 8
        SAVE    s8, 9
        SAVE    s9, 10
        SAVE    s10, 11
        SAVE    s11, 12
        STORE   a0, (13 * WORD)(sp)
        STORE   a4, (14 * WORD)(sp)
#if REGISTERS_COUNT > 12
        .set    index, 0
        .irp    register, fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
        SAVE_FLOAT \register, index
        LOAD_FLOAT \register, (96 + index * 8)(a0)
        .set    index, index + 1
        .endr
#endif
        .set    index, 0
        .irp    register, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
        LOAD    \register, (index * 8)(a0)
        .set    index, index + 1
        .endr

        mv      t0, a1
        mv      a0, a2
        mv      a1, a3
        STORE   sp, 0(a4)
        jalr    t0

        LOAD    t1, (14 * WORD)(sp)
        STORE   a0, WORD(t1)
        LOAD    t1, (13 * WORD)(sp)
        li      t0, 0
        .set    index, 0
        .irp    register, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
        COMPARE \register, index
        .set    index, index + 1
        .endr
#if REGISTERS_COUNT > 12
        .irp    register, fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
        COMPARE_FLOAT \register, index
        .set    index, index + 1
        .endr
        .set    index, 0
        .irp    register, fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
        RESTORE_FLOAT \register, index
        .set    index, index + 1
        .endr
#endif
        mv      a0, t0
        li      a1, 0
        RESTORE ra, 0
        RESTORE s0, 1
        RESTORE s1, 2
        RESTORE s2, 3
        RESTORE s3, 4
        RESTORE s4, 5
        RESTORE s5, 6
        RESTORE s6, 7
        RESTORE s7, 8
        RESTORE s8, 9
        RESTORE s9, 10
        RESTORE s10, 11
        RESTORE s11, 12
        addi    sp, sp, FRAME_SIZE
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        frcsr   a0
        li      a1, 0
        ret
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        fscsr   a0
        ret
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
        .long   40, 41, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59
        CONSTANT_END registers_in_dwarf
