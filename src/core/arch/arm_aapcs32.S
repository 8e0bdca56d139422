/* ARM, AAPCS32 (Linux and the BSDs; hard and soft float, called from ARM or Thumb
   code).

   Callee-saved, by AAPCS32, sections 6.1.1 and 6.1.2.1: r4 to r11 (r9 as a
   variable register, v6), sp, and d8 to d15 where there are any.  lr has the
   return address.  FPSCR is a global register, and only support functions change
   its control bits; here each coroutine has its own control and status bits.

   The frame, in bytes from the saved stack pointer, with floating-point registers:

       0  d8             8  d9
      16  d10           24  d11
      32  d12           40  d13
      48  d14           56  d15
      64  FPSCR         68  r4
      72  r5            76  r6
      80  r7            84  r8
      88  r9            92  r10
      96  r11          100  lr

   104 bytes; without floating-point registers 40, with an unused word in FPSCR's
   place.  The stack pointer is always a multiple of 8.

   Exceptions are unwound by tables of ARM's own (EHABI, section 10), debuggers by
   DWARF.  There is no property note. */

#if defined(__SOFTFP__)
#  define HAS_FLOATS 0
#  define STACK_FRAME_SIZE 40
#else
#  define HAS_FLOATS 1
#  define STACK_FRAME_SIZE 104
        .fpu    vfpv2
#endif

        .syntax unified
        .arm
        .cfi_sections .debug_frame

        FUNCTION_BEGIN stack_switch
        .fnstart
        .cfi_startproc
        push    {r4-r11, lr}
        .save   {r4-r11, lr}
        .cfi_def_cfa_offset 36
        .cfi_offset r4, -36
        .cfi_offset r5, -32
        .cfi_offset r6, -28
        .cfi_offset r7, -24
        .cfi_offset r8, -20
        .cfi_offset r9, -16
        .cfi_offset r10, -12
        .cfi_offset r11, -8
        .cfi_offset lr, -4
        sub     sp, sp, #4
        .pad    #4
        .cfi_def_cfa_offset 40
#if HAS_FLOATS
        vmrs    r6, fpscr
        str     r6, [sp]
        vpush   {d8-d15}
        .vsave  {d8-d15}
        .cfi_def_cfa_offset 104
        .cfi_offset d8, -104
        .cfi_offset d9, -96
        .cfi_offset d10, -88
        .cfi_offset d11, -80
        .cfi_offset d12, -72
        .cfi_offset d13, -64
        .cfi_offset d14, -56
        .cfi_offset d15, -48
#endif

        mov     r4, r0
        mov     r5, r1
        mov     r2, sp
        bl      SYMBOL(stack_save)
        cmp     r0, #0
        beq     LABEL(failed)
        ldr     sp, [r5]
        mov     r0, r4
        mov     r1, r5
        bl      SYMBOL(stack_restore)
        cmp     r0, #0
        beq     LABEL(start)

        mov     r1, r5
LABEL(return):
        mov     r2, r0
        mov     r0, r4
        ldr     r12, [r4]
#if HAS_FLOATS
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: r6 still has the word
           that is in force.  Its highest four bits are the outcome of the last
           comparison. */
        vldmia  r2!, {d8-d15}
        ldr     r3, [r2]
        eor     r6, r6, r3
        lsls    r6, r6, #4
        bne     LABEL(control)
LABEL(pop):
#endif
        .cfi_remember_state
        add     r2, r2, #4
        ldmia   r2, {r4-r11, lr}
        add     sp, sp, #STACK_FRAME_SIZE
        .cfi_def_cfa_offset 0
        .cfi_restore r4
        .cfi_restore r5
        .cfi_restore r6
        .cfi_restore r7
        .cfi_restore r8
        .cfi_restore r9
        .cfi_restore r10
        .cfi_restore r11
        .cfi_restore lr
        bx      r12

#if HAS_FLOATS
LABEL(control):
        .cfi_restore_state
        .cfi_remember_state
        vmsr    fpscr, r3
        b       LABEL(pop)
#endif

LABEL(failed):
        .cfi_restore_state
        mov     r0, sp
        mov     r1, #0
        b       LABEL(return)

        .cfi_endproc
        .fnend

        /* The outermost frame of a new coroutine: unwinders end here. */
        .fnstart
        .cantunwind
        .cfi_startproc
        .cfi_undefined lr
LABEL(start):
        mov     r0, r4
        mov     r11, #0
        ldr     r12, [r4, #4]
        blx     r12
        udf     #0
        .cfi_endproc
        .fnend
        FUNCTION_END stack_switch

        /* Nothing keeps a second stack of return addresses. */
        FUNCTION_BEGIN stack_is_guarded
        .fnstart
        .cantunwind
        mov     r0, #0
        bx      lr
        .fnend
        FUNCTION_END stack_is_guarded
