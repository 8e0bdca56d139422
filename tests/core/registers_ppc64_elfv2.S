/* 64-bit Power, ELFv2; src/core/arch/ppc64_elfv2.S cites the ABI.

   Words of `values`: r14 to r31, f14 to f31, v20 to v31 with two words each, and one
   for CR, of which fields 2 to 4 are used.  The control number is FPSCR. */

#define REGISTERS_COUNT 61
#define REGISTERS_IN_DWARF 36

/* FPSCR, counted from its lowest bit: rounding (0, 1), no IEEE mode (2), exceptions that
   trap (3 to 7) and that have occurred (8 to 10, 19 to 28, and 31 for any), decimal
   rounding (32 to 34). */
#define CONTROL_BITS 0x79ff807ff

#define CR_FIELDS 0x00fff000

#define FRAME_SIZE 560

        .machine "power8"

        .macro  FUNCTION_ENTRY name
0:      addis   2, 12, .TOC. - 0b@ha
        addi    2, 2, .TOC. - 0b@l
        .localentry \name, . - \name
        .endm

        /* r3 |= r5 differs from the word, as the bit of that number */
        .macro  COMPARE_5 number
        ld      6, 8 * (\number)(4)
        xor     5, 5, 6
        cntlzd  5, 5
        srdi    5, 5, 6
        xori    5, 5, 1
        sldi    5, 5, \number
        or      3, 3, 5
        .endm

        /* 32: `values`, `outcome`, and a vector's place at 48; 64: r14 to r31; 208:
           f14 to f31; 352: v20 to v31; 544 is unused. */
        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        FUNCTION_ENTRY registers_hold
        mflr    0
        std     0, 16(1)
        mfcr    0
        stw     0, 8(1)
        stdu    1, -FRAME_SIZE(1)
        .cfi_def_cfa_offset FRAME_SIZE
        .cfi_offset lr, 16
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        std     \number, 64 + 8 * (\number - 14)(1)
        .cfi_rel_offset \number, 64 + 8 * (\number - 14)
        stfd    \number, 208 + 8 * (\number - 14)(1)
        .cfi_rel_offset 32 + \number, 208 + 8 * (\number - 14)
        .endr
        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      0, 352 + 16 * (\number - 20)
        stvx    \number, 1, 0
        .endr
        std     3, 32(1)
        std     7, 40(1)
        std     1, 0(7)

        mr      12, 4
        mr      7, 3
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ld      \number, 8 * (\number - 14)(7)
        lfd     \number, 8 * (18 + \number - 14)(7)
        .endr
        addi    8, 1, 48
        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ld      0, 8 * (36 + 2 * (\number - 20))(7)
        std     0, 0(8)
        ld      0, 8 * (37 + 2 * (\number - 20))(7)
        std     0, 8(8)
        lvx     \number, 0, 8
        .endr
        ld      0, 8 * 60(7)
        mtcrf   0x38, 0
        mr      3, 5
        mr      4, 6
        mtctr   12
        bctrl

        mfcr    5
        ld      4, 40(1)
        std     3, 8(4)
        ld      4, 32(1)
        ld      6, 8 * 60(4)
        xor     5, 5, 6
        rlwinm  5, 5, 0, 8, 19
        cntlzd  5, 5
        srdi    5, 5, 6
        xori    5, 5, 1
        sldi    3, 5, 60
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        mr      5, \number
        COMPARE_5 (\number - 14)
        stfd    \number, 48(1)
        ld      5, 48(1)
        COMPARE_5 (18 + \number - 14)
        .endr
        addi    8, 1, 48
        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        stvx    \number, 0, 8
        ld      5, 0(8)
        COMPARE_5 (36 + 2 * (\number - 20))
        ld      5, 8(8)
        COMPARE_5 (37 + 2 * (\number - 20))
        .endr

        .irp    number, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      0, 352 + 16 * (\number - 20)
        lvx     \number, 1, 0
        .endr
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ld      \number, 64 + 8 * (\number - 14)(1)
        lfd     \number, 208 + 8 * (\number - 14)(1)
        .endr
        addi    1, 1, FRAME_SIZE
        ld      0, 16(1)
        mtlr    0
        lwz     0, 8(1)
        mtcrf   0x38, 0
        blr
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        mffs    0
        stfd    0, -8(1)
        ld      3, -8(1)
        li      4, CONTROL_BITS >> 32
        sldi    4, 4, 32
        oris    4, 4, (CONTROL_BITS >> 16) & 0xffff
        ori     4, 4, CONTROL_BITS & 0xffff
        and     3, 3, 4
        blr
        FUNCTION_END control_get

        /* An exception that has occurred would trap now, so none has where any is to
           trap. */
        FUNCTION_BEGIN control_set
        andi.   4, 3, 0xf8
        beq     LABEL(harmless)
        clrldi  4, 3, 56
        clrrdi  3, 3, 32
        or      3, 3, 4
LABEL(harmless):
        std     3, -8(1)
        lfd     0, -8(1)
        mtfsf   0xff, 0, 1, 0
        blr
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        .long   \number
        .endr
        .irp    number, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        .long   32 + \number
        .endr
        CONSTANT_END registers_in_dwarf
