/* RISC-V, 64 and 32 bits, with floating-point registers of either size or none.

   Callee-saved, by the RISC-V psABI's calling conventions, sections "Integer
   Register Convention" and "Floating-Point Register Convention": s0 to s11, sp, and
   fs0 to fs11 as far as the ABI passes numbers in such registers.  ra has the
   return address.  gp and tp never change.  fcsr (rounding mode and exceptions that
   have occurred) belongs to the thread, as C's floating-point environment; here
   each coroutine has its own.

   The frame, in words from the saved stack pointer, which are 8 bytes, or 4 with 32
   bits:

       0  ra
       1  s0, and so on: 12  s11
      13  fcsr
      14  fs0, and so on, in units of their own size; then as many unused bytes as
          make the frame a multiple of 16, which the stack pointer always is.

   208 bytes with 64 bits and double precision.  There is no property note. */

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
#  define FLOAT_SIZE 8
#  define STORE_FLOAT fsd
#  define LOAD_FLOAT fld
#elif defined(__riscv_float_abi_single)
#  define FLOAT_SIZE 4
#  define STORE_FLOAT fsw
#  define LOAD_FLOAT flw
#elif defined(__riscv_float_abi_soft)
#  define FLOAT_SIZE 0
#else
#  error "registers of a size that nobody saves: see docs/add-an-architecture.md"
#endif

#if defined(__riscv_32e) || defined(__riscv_64e)
#  error "fewer registers than there are saved: see docs/add-an-architecture.md"
#endif

#define STACK_FRAME_SIZE ((14 * WORD + 12 * FLOAT_SIZE + 15) / 16 * 16)

        .macro  SAVE register, number
        STORE   \register, (\number * WORD)(sp)
        .cfi_rel_offset \register, \number * WORD
        .endm

        .macro  RESTORE register, number
        LOAD    \register, (\number * WORD)(t0)
        .endm

        .macro  SAVE_FLOAT register, number
#if FLOAT_SIZE
        STORE_FLOAT \register, (14 * WORD + \number * FLOAT_SIZE)(sp)
        .cfi_rel_offset \register, 14 * WORD + \number * FLOAT_SIZE
#endif
        .endm

        .macro  RESTORE_FLOAT register, number
#if FLOAT_SIZE
        LOAD_FLOAT \register, (14 * WORD + \number * FLOAT_SIZE)(t0)
#endif
        .endm

        .macro  RESTORED registers:vararg
        .irp    register, \registers
        .cfi_restore \register
        .endr
        .endm

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
        addi    sp, sp, -STACK_FRAME_SIZE
        .cfi_def_cfa_offset STACK_FRAME_SIZE
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
        SAVE_FLOAT fs0, 0
        SAVE_FLOAT fs1, 1
        SAVE_FLOAT fs2, 2
        SAVE_FLOAT fs3, 3
        SAVE_FLOAT fs4, 4
        SAVE_FLOAT fs5, 5
        SAVE_FLOAT fs6, 6
        SAVE_FLOAT fs7, 7
        SAVE_FLOAT fs8, 8
        SAVE_FLOAT fs9, 9
        SAVE_FLOAT fs10, 10
        SAVE_FLOAT fs11, 11
#if defined(__riscv_flen)
        frcsr   s3
        STORE   s3, (13 * WORD)(sp)
#endif

        mv      s1, a0
        mv      s2, a1
        mv      a2, sp
        call    SYMBOL(stack_save)
        beqz    a0, LABEL(failed)
        LOAD    t0, 0(s2)
        /* Frame pointers end here meanwhile: the target's frames may not be on
           the stack yet. */
        li      s0, 0
        mv      sp, t0
        mv      a0, s1
        mv      a1, s2
        call    SYMBOL(stack_restore)
        beqz    a0, LABEL(start)

        mv      t0, a0
        mv      a1, s2
LABEL(return):
        mv      a0, s1
#if defined(__riscv_flen)
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: s3 still has the word
           that is in force. */
        LOAD    t1, (13 * WORD)(t0)
        bne     t1, s3, LABEL(control)
#endif
LABEL(pop):
        .cfi_remember_state
        LOAD    t1, 0(a0)
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
        RESTORE_FLOAT fs0, 0
        RESTORE_FLOAT fs1, 1
        RESTORE_FLOAT fs2, 2
        RESTORE_FLOAT fs3, 3
        RESTORE_FLOAT fs4, 4
        RESTORE_FLOAT fs5, 5
        RESTORE_FLOAT fs6, 6
        RESTORE_FLOAT fs7, 7
        RESTORE_FLOAT fs8, 8
        RESTORE_FLOAT fs9, 9
        RESTORE_FLOAT fs10, 10
        RESTORE_FLOAT fs11, 11
        addi    sp, sp, STACK_FRAME_SIZE
        .cfi_def_cfa_offset 0
        RESTORED ra, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
#if FLOAT_SIZE
        RESTORED fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
#endif
        jr      t1

#if defined(__riscv_flen)
LABEL(control):
        .cfi_restore_state
        .cfi_remember_state
        fscsr   t1
        j       LABEL(pop)
#endif

LABEL(failed):
        .cfi_restore_state
        mv      t0, sp
        li      a1, 0
        j       LABEL(return)

        /* The outermost frame of a new coroutine: unwinders end here, those that
           follow frame pointers because s0 is zero. */
LABEL(start):
        .cfi_undefined ra
        mv      a0, s1
        LOAD    t0, WORD(s1)
        jalr    t0
        unimp
        .cfi_endproc
        FUNCTION_END stack_switch

        /* Shadow stacks (Zicfiss) are in force only for programs all of which claim to
           support them, which this does not. */
        FUNCTION_BEGIN stack_is_guarded
        li      a0, 0
        ret
        FUNCTION_END stack_is_guarded
