/* s390x, the ELF ABI supplement for Linux.

   Callee-saved, by the s390x supplement 1.7, section 1.2.1: r6 to r13, r15 (stack
   pointer), f8 to f15, and of the floating-point control register (FPC) its masks
   and rounding modes.  Each coroutine has its status bits of its own, too.  r14 has
   the return address.  Vector registers are callee-saved only in what they share
   with f8 to f15.  a0 and a1 belong to the thread.

   The frame, in bytes from the saved stack pointer:

       0  r6             8  r7
      16  r8            24  r9
      32  r10           40  r11
      48  r12           56  r13
      64  r14           72  FPC (4 bytes, 4 unused)
      80  f8            88  f9
      96  f10          104  f11
     112  f12          120  f13
     128  f14          136  f15

   144 bytes; the stack pointer is always a multiple of 8.  Nearer than the frame,
   each function called from here has 160 bytes to save registers in (section 1.2.2):
   they are no part of the frame, since stack_restore saves its own there.  Their
   first word is the back chain, from which unwinders take the caller's stack
   pointer. */

#define STACK_FRAME_SIZE 144
#define SAVE_AREA 160
#define WHOLE (STACK_FRAME_SIZE + SAVE_AREA)

        /* `number` is DWARF's: assemblers number these registers in order, which
           DWARF does not. */
        .macro  SAVE_FLOAT register, offset, number
        std     \register, SAVE_AREA + \offset(%r15)
        .cfi_rel_offset \number, SAVE_AREA + \offset
        .endm

        .macro  RESTORE_FLOAT register, offset
        ld      \register, \offset(%r1)
        .endm

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
        lgr     %r1, %r15
        aghi    %r15, -WHOLE
        .cfi_adjust_cfa_offset WHOLE
        stg     %r1, 0(%r15)
        .cfi_rel_offset %r15, 0
        stmg    %r6, %r14, SAVE_AREA(%r15)
        .cfi_rel_offset %r6, SAVE_AREA
        .cfi_rel_offset %r7, SAVE_AREA + 8
        .cfi_rel_offset %r8, SAVE_AREA + 16
        .cfi_rel_offset %r9, SAVE_AREA + 24
        .cfi_rel_offset %r10, SAVE_AREA + 32
        .cfi_rel_offset %r11, SAVE_AREA + 40
        .cfi_rel_offset %r12, SAVE_AREA + 48
        .cfi_rel_offset %r13, SAVE_AREA + 56
        .cfi_rel_offset %r14, SAVE_AREA + 64
        SAVE_FLOAT %f8, 80, 24
        SAVE_FLOAT %f9, 88, 28
        SAVE_FLOAT %f10, 96, 25
        SAVE_FLOAT %f11, 104, 29
        SAVE_FLOAT %f12, 112, 26
        SAVE_FLOAT %f13, 120, 30
        SAVE_FLOAT %f14, 128, 27
        SAVE_FLOAT %f15, 136, 31
        stfpc   SAVE_AREA + 72(%r15)
        l       %r9, SAVE_AREA + 72(%r15)

        lgr     %r7, %r2
        lgr     %r8, %r3
        la      %r4, SAVE_AREA(%r15)
        brasl   %r14, SYMBOL(stack_save)
        ltgr    %r2, %r2
        je      LABEL(failed)
        lg      %r15, 0(%r8)
        aghi    %r15, -SAVE_AREA
        la      %r1, WHOLE(%r15)
        stg     %r1, 0(%r15)
        lgr     %r2, %r7
        lgr     %r3, %r8
        brasl   %r14, SYMBOL(stack_restore)
        ltgr    %r2, %r2
        je      LABEL(start)

        lgr     %r1, %r2
        lgr     %r3, %r8
LABEL(return):
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: r9 still has the word
           that is in force. */
        lgr     %r2, %r7
        c       %r9, 72(%r1)
        jne     LABEL(control)
LABEL(pop):
        .cfi_remember_state
        lg      %r5, 0(%r2)
        RESTORE_FLOAT %f8, 80
        RESTORE_FLOAT %f9, 88
        RESTORE_FLOAT %f10, 96
        RESTORE_FLOAT %f11, 104
        RESTORE_FLOAT %f12, 112
        RESTORE_FLOAT %f13, 120
        RESTORE_FLOAT %f14, 128
        RESTORE_FLOAT %f15, 136
        lmg     %r6, %r14, 0(%r1)
        aghi    %r15, WHOLE
        .cfi_adjust_cfa_offset -WHOLE
        .cfi_restore %r6
        .cfi_restore %r7
        .cfi_restore %r8
        .cfi_restore %r9
        .cfi_restore %r10
        .cfi_restore %r11
        .cfi_restore %r12
        .cfi_restore %r13
        .cfi_restore %r14
        .cfi_restore %r15
        .cfi_restore 24
        .cfi_restore 28
        .cfi_restore 25
        .cfi_restore 29
        .cfi_restore 26
        .cfi_restore 30
        .cfi_restore 27
        .cfi_restore 31
        br      %r5

LABEL(control):
        .cfi_restore_state
        lfpc    72(%r1)
        j       LABEL(pop)

LABEL(failed):
        la      %r1, SAVE_AREA(%r15)
        lghi    %r3, 0
        j       LABEL(return)

        /* The outermost frame of a new coroutine: unwinders end here, those that
           follow back chains because this one's is zero. */
LABEL(start):
        .cfi_undefined %r14
        xc      0(8, %r15), 0(%r15)
        lgr     %r2, %r7
        lg      %r1, 8(%r7)
        basr    %r14, %r1
        j       .+2
        .cfi_endproc
        FUNCTION_END stack_switch

        /* Nothing keeps a second stack of return addresses. */
        FUNCTION_BEGIN stack_is_guarded
        lghi    %r2, 0
        br      %r14
        FUNCTION_END stack_is_guarded
