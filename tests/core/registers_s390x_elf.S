/* s390x; src/core/arch/s390x_elf.S cites the ABI.

   Words of `values`: r6 to r13, f8 to f15.  The control number is FPC. */

#define REGISTERS_COUNT 16
#define REGISTERS_IN_DWARF 16

/* FPC: five exceptions that trap, and the same that have occurred, decimal and binary
   rounding.  Of binary rounding without the highest bit, which a processor refuses in
   most combinations. */
#define CONTROL_BITS 0xf8f80073

#define FRAME_SIZE 320

        /* With the number that DWARF has for it: assemblers count them in order, which
           DWARF does not. */
        .macro  SAVE_FLOAT register, offset, number
        std     \register, \offset(%r15)
        .cfi_rel_offset \number, \offset
        .endm

        /* r2 |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        lghi    %r3, 0
        cg      \register, 8 * \number(%r1)
        je      .+8
        lghi    %r3, 1
        sllg    %r3, %r3, \number
        ogr     %r2, %r3
        .endm

        .macro  COMPARE_FLOAT register, number
        lgdr    %r0, \register
        COMPARE %r0, \number
        .endm

        /* 160: `values` and `outcome`; 176: r6 to r14; 248: f8 to f15. */
        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        lgr     %r1, %r15
        aghi    %r15, -FRAME_SIZE
        .cfi_adjust_cfa_offset FRAME_SIZE
        stg     %r1, 0(%r15)
        .cfi_rel_offset %r15, 0
        stmg    %r6, %r14, 176(%r15)
        .cfi_rel_offset %r6, 176
        .cfi_rel_offset %r7, 184
        .cfi_rel_offset %r8, 192
        .cfi_rel_offset %r9, 200
        .cfi_rel_offset %r10, 208
        .cfi_rel_offset %r11, 216
        .cfi_rel_offset %r12, 224
        .cfi_rel_offset %r13, 232
        .cfi_rel_offset %r14, 240
        SAVE_FLOAT %f8, 248, 24
        SAVE_FLOAT %f9, 256, 28
        SAVE_FLOAT %f10, 264, 25
        SAVE_FLOAT %f11, 272, 29
        SAVE_FLOAT %f12, 280, 26
        SAVE_FLOAT %f13, 288, 30
        SAVE_FLOAT %f14, 296, 27
        SAVE_FLOAT %f15, 304, 31
        stg     %r2, 160(%r15)
        stg     %r6, 168(%r15)

        stg     %r15, 0(%r6)
        lgr     %r0, %r3
        lgr     %r1, %r2
        lgr     %r2, %r4
        lgr     %r3, %r5
        lmg     %r6, %r13, 0(%r1)
        ld      %f8, 64(%r1)
        ld      %f9, 72(%r1)
        ld      %f10, 80(%r1)
        ld      %f11, 88(%r1)
        ld      %f12, 96(%r1)
        ld      %f13, 104(%r1)
        ld      %f14, 112(%r1)
        ld      %f15, 120(%r1)
        lgr     %r1, %r0
        basr    %r14, %r1

        lg      %r1, 168(%r15)
        stg     %r2, 8(%r1)
        lg      %r1, 160(%r15)
        lghi    %r2, 0
        COMPARE %r6, 0
        COMPARE %r7, 1
        COMPARE %r8, 2
        COMPARE %r9, 3
        COMPARE %r10, 4
        COMPARE %r11, 5
        COMPARE %r12, 6
        COMPARE %r13, 7
        COMPARE_FLOAT %f8, 8
        COMPARE_FLOAT %f9, 9
        COMPARE_FLOAT %f10, 10
        COMPARE_FLOAT %f11, 11
        COMPARE_FLOAT %f12, 12
        COMPARE_FLOAT %f13, 13
        COMPARE_FLOAT %f14, 14
        COMPARE_FLOAT %f15, 15

        ld      %f8, 248(%r15)
        ld      %f9, 256(%r15)
        ld      %f10, 264(%r15)
        ld      %f11, 272(%r15)
        ld      %f12, 280(%r15)
        ld      %f13, 288(%r15)
        ld      %f14, 296(%r15)
        ld      %f15, 304(%r15)
        lmg     %r6, %r14, 176(%r15)
        aghi    %r15, FRAME_SIZE
        br      %r14
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        lghi    %r2, 0
        efpc    %r2
        llilh   %r1, 0xfcf8
        oill    %r1, 0x0077
        ngr     %r2, %r1
        br      %r14
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        sfpc    %r2
        br      %r14
        FUNCTION_END control_set

        /* DWARF does not number them in their order. */
        CONSTANT_BEGIN registers_in_dwarf
        .long   6, 7, 8, 9, 10, 11, 12, 13
        .long   24, 28, 25, 29, 26, 30, 27, 31
        CONSTANT_END registers_in_dwarf
