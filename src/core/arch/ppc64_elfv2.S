/* 64-bit Power, ELFv2 ABI (Linux, little-endian as big-endian).

   Callee-saved, by the ELFv2 ABI 1.5, section 2.2.1.1: r1 (stack pointer), r14 to
   r31, f14 to f31, v20 to v31, CR fields 2 to 4.  LR has the return address.  r2
   points to the module's table of contents, and r13 to the thread.  FPSCR's control
   bits are a matter of the environment (limited access); here each coroutine has
   its own, and its own exceptions that have occurred.  VSCR and VRSAVE are left
   alone.

   The frame, in bytes from the saved stack pointer:

       0  r14, and so on: 136  r31
     144  f14, and so on: 280  f31
     288  v20, and so on, 16 bytes each: 464  v31
     480  FPSCR
     488  unused

   496 bytes: the stack pointer is always a multiple of 16.  LR and CR are where the
   ABI has them, in the caller's frame: at 512 and 504.

   Nearer than the frame, each function called from here has a header of 32 bytes
   (section 2.2.3), with the back chain, and places for what it saves.  The header
   is no part of the frame: stack_restore uses it while it brings the frame's bytes
   back.

   The functions called from here and the landing have to be of the same module,
   which has one table of contents. */

#define STACK_FRAME_SIZE 496
#define HEADER 32
#define WHOLE (STACK_FRAME_SIZE + HEADER)
#define SAVED_CR (WHOLE + 8)
#define SAVED_LR (WHOLE + 16)

        .macro  SAVE register, number
        std     \register, HEADER + 8 * (\number - 14)(1)
        .cfi_rel_offset \number, HEADER + 8 * (\number - 14)
        .endm

        /* DWARF's numbers of f14 and v20 are 46 and 97. */
        .macro  SAVE_FLOAT register, number
        stfd    \register, HEADER + 144 + 8 * (\number - 14)(1)
        .cfi_rel_offset 32 + \number, HEADER + 144 + 8 * (\number - 14)
        .endm

        .macro  SAVE_VECTOR register, number
        li      0, HEADER + 288 + 16 * (\number - 20)
        stvx    \register, 1, 0
        .cfi_rel_offset 77 + \number, HEADER + 288 + 16 * (\number - 20)
        .endm

        .machine "power8"

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
LABEL(global_entry):
        addis   2, 12, .TOC. - LABEL(global_entry)@ha
        addi    2, 2, .TOC. - LABEL(global_entry)@l
        .localentry stack_switch, . - stack_switch
        mflr    0
        std     0, 16(1)
        mfcr    0
        stw     0, 8(1)
        stdu    1, -WHOLE(1)
        .cfi_def_cfa_offset WHOLE
        .cfi_offset lr, 16
        .cfi_offset 70, 8
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        SAVE    \number, \number
        SAVE_FLOAT \number, \number
        .endr
        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        SAVE_VECTOR \number, \number
        .endr
        mffs    0
        stfd    0, HEADER + 480(1)
        ld      29, HEADER + 480(1)

        mr      31, 3
        mr      30, 4
        addi    5, 1, HEADER
        bl      stack_save
        nop
        cmpdi   3, 0
        beq     LABEL(failed)
        ld      5, 0(30)
        addi    6, 5, STACK_FRAME_SIZE
        addi    1, 5, -HEADER
        std     6, 0(1)
        mr      3, 31
        mr      4, 30
        bl      stack_restore
        nop
        cmpdi   3, 0
        beq     LABEL(start)

        mr      11, 3
        mr      4, 30
LABEL(return):
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: r29 still has the word
           that is in force.  Of its lower half bits 13 to 20 tell of the last
           result, and three of its upper half are in use. */
        mr      3, 31
        ld      5, 480(11)
        xor     5, 5, 29
        rldicl  6, 5, 32, 61
        rlwinm  5, 5, 0, 21, 12
        or      5, 5, 6
        cmpwi   5, 0
        bne     LABEL(control)
LABEL(pop):
        .cfi_remember_state
        ld      12, 0(3)
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ld      \number, 8 * (\number - 14)(11)
        lfd     \number, 144 + 8 * (\number - 14)(11)
        .endr
        addi    11, 11, 288
        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      0, 16 * (\number - 20)
        lvx     \number, 11, 0
        .endr
        addi    1, 1, WHOLE
        .cfi_def_cfa_offset 0
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        .cfi_restore \number
        .cfi_restore 32 + \number
        .endr
        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        .cfi_restore 77 + \number
        .endr
        ld      0, 16(1)
        mtlr    0
        .cfi_restore lr
        lwz     0, 8(1)
        mtcrf   0x38, 0
        .cfi_restore 70
        mtctr   12
        bctr

LABEL(control):
        .cfi_restore_state
        lfd     0, 480(11)
        mtfsf   0xff, 0, 1, 0
        b       LABEL(pop)

LABEL(failed):
        addi    11, 1, HEADER
        li      4, 0
        b       LABEL(return)

        /* The outermost frame of a new coroutine: unwinders end here, those that
           follow back chains because this one's is zero. */
LABEL(start):
        .cfi_undefined lr
        li      0, 0
        std     0, 0(1)
        mr      3, 31
        ld      12, 8(31)
        mtctr   12
        bctrl
        trap
        .cfi_endproc
        FUNCTION_END stack_switch

        /* Nothing keeps a second stack of return addresses. */
        FUNCTION_BEGIN stack_is_guarded
        li      3, 0
        blr
        FUNCTION_END stack_is_guarded
