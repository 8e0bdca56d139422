/* LoongArch, 64 bits (LP64D, LP64F, LP64S).

   Callee-saved, by the procedure call standard of the LoongArch ABI 2.30, section
   "Registers": fp (r22), s0 to s8 (r23 to r31), sp (r3), and fs0 to fs7 (f24 to
   f31) where the ABI has floating-point registers.  ra (r1) has the return address.
   tp (r2) and r21 never change.  FCSR belongs to the thread; here each coroutine
   has its own control bits, and its own exceptions that have occurred.

   The frame, in bytes from the saved stack pointer:

       0  ra             8  fp
      16  s0            24  s1
      32  s2            40  s3
      48  s4            56  s5
      64  s6            72  s7
      80  s8            88  FCSR
      96  fs0          104  fs1
     112  fs2          120  fs3
     128  fs4          136  fs5
     144  fs6          152  fs7

   160 bytes: the stack pointer is always a multiple of 16.  There is no property
   note. */

#if defined(__loongarch_soft_float)
#  define HAS_FLOATS 0
#  define STACK_FRAME_SIZE 96
#else
#  define HAS_FLOATS 1
#  define STACK_FRAME_SIZE 160
#endif

        .macro  SAVE register, offset
        st.d    \register, $sp, \offset
        .cfi_rel_offset \register, \offset
        .endm

        .macro  SAVE_FLOAT register, offset
#if HAS_FLOATS
        fst.d   \register, $sp, \offset
        .cfi_rel_offset \register, \offset
#endif
        .endm

        .macro  RESTORE register, offset
        ld.d    \register, $t0, \offset
        .endm

        .macro  RESTORE_FLOAT register, offset
#if HAS_FLOATS
        fld.d   \register, $t0, \offset
#endif
        .endm

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
        addi.d  $sp, $sp, -STACK_FRAME_SIZE
        .cfi_def_cfa_offset STACK_FRAME_SIZE
        SAVE    $ra, 0
        SAVE    $fp, 8
        SAVE    $s0, 16
        SAVE    $s1, 24
        SAVE    $s2, 32
        SAVE    $s3, 40
        SAVE    $s4, 48
        SAVE    $s5, 56
        SAVE    $s6, 64
        SAVE    $s7, 72
        SAVE    $s8, 80
        SAVE_FLOAT $fs0, 96
        SAVE_FLOAT $fs1, 104
        SAVE_FLOAT $fs2, 112
        SAVE_FLOAT $fs3, 120
        SAVE_FLOAT $fs4, 128
        SAVE_FLOAT $fs5, 136
        SAVE_FLOAT $fs6, 144
        SAVE_FLOAT $fs7, 152
#if HAS_FLOATS
        movfcsr2gr $s2, $fcsr0
        st.d    $s2, $sp, 88
#endif

        move    $s0, $a0
        move    $s1, $a1
        move    $a2, $sp
        bl      SYMBOL(stack_save)
        beqz    $a0, LABEL(failed)
        ld.d    $t0, $s1, 0
        /* Frame pointers end here meanwhile: the target's frames may not be on
           the stack yet. */
        move    $fp, $zero
        move    $sp, $t0
        move    $a0, $s0
        move    $a1, $s1
        bl      SYMBOL(stack_restore)
        beqz    $a0, LABEL(start)

        move    $t0, $a0
        move    $a1, $s1
LABEL(return):
        move    $a0, $s0
#if HAS_FLOATS
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: s2 still has the word
           that is in force.  From bit 24 on it tells of the last operation. */
        ld.d    $t1, $t0, 88
        xor     $t2, $t1, $s2
        slli.d  $t2, $t2, 64 - 24
        bnez    $t2, LABEL(control)
#endif
LABEL(pop):
        .cfi_remember_state
        ld.d    $t1, $a0, 0
        RESTORE $ra, 0
        RESTORE $fp, 8
        RESTORE $s0, 16
        RESTORE $s1, 24
        RESTORE $s2, 32
        RESTORE $s3, 40
        RESTORE $s4, 48
        RESTORE $s5, 56
        RESTORE $s6, 64
        RESTORE $s7, 72
        RESTORE $s8, 80
        RESTORE_FLOAT $fs0, 96
        RESTORE_FLOAT $fs1, 104
        RESTORE_FLOAT $fs2, 112
        RESTORE_FLOAT $fs3, 120
        RESTORE_FLOAT $fs4, 128
        RESTORE_FLOAT $fs5, 136
        RESTORE_FLOAT $fs6, 144
        RESTORE_FLOAT $fs7, 152
        addi.d  $sp, $sp, STACK_FRAME_SIZE
        .cfi_def_cfa_offset 0
        .irp    register, $ra, $fp, $s0, $s1, $s2, $s3, $s4, $s5, $s6, $s7, $s8
        .cfi_restore \register
        .endr
#if HAS_FLOATS
        .irp    register, $fs0, $fs1, $fs2, $fs3, $fs4, $fs5, $fs6, $fs7
        .cfi_restore \register
        .endr
#endif
        jr      $t1

#if HAS_FLOATS
LABEL(control):
        .cfi_restore_state
        .cfi_remember_state
        movgr2fcsr $fcsr0, $t1
        b       LABEL(pop)
#endif

LABEL(failed):
        .cfi_restore_state
        move    $t0, $sp
        move    $a1, $zero
        b       LABEL(return)

        /* The outermost frame of a new coroutine: unwinders end here, those that
           follow frame pointers because fp is zero. */
LABEL(start):
        .cfi_undefined $ra
        move    $a0, $s0
        ld.d    $t0, $s0, 8
        jirl    $ra, $t0, 0
        break   0
        .cfi_endproc
        FUNCTION_END stack_switch

        /* Nothing keeps a second stack of return addresses. */
        FUNCTION_BEGIN stack_is_guarded
        move    $a0, $zero
        jr      $ra
        FUNCTION_END stack_is_guarded
