/* AArch64, AAPCS64; src/core/arch/aarch64_aapcs64.S cites it.

   Words of `values`: x19 to x29, d8 to d15.  The control number is FPCR in
   the low half and FPSR in the high half. */

#define REGISTERS_COUNT 19
#define REGISTERS_IN_DWARF 19

/* FPCR: exceptions that trap (8 to 12 and 15), rounding (22, 23), flush to zero (24),
   default NaN (25), alternative half precision (26).  FPSR: exceptions that have
   occurred (0 to 4 and 7), saturation (27). */
#define CONTROL_BITS 0x0800009f07c09f00

        .macro  STORE_PAIR first, second, offset
        stp     \first, \second, [sp, #\offset]
        .cfi_rel_offset \first, \offset
        .cfi_rel_offset \second, \offset + 8
        .endm

        .macro  LOAD_PAIR first, second, offset
        ldp     \first, \second, [sp, #\offset]
        .cfi_restore \first
        .cfi_restore \second
        .endm

        /* x0 |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        ldr     x11, [x9, #8 * \number]
        cmp     \register, x11
        cset    x10, ne
        orr     x0, x0, x10, lsl #\number
        .endm

        .macro  COMPARE_FLOAT register, number
        fmov    x12, \register
        COMPARE x12, \number
        .endm

        /* 176 bytes of registers; below them `values` and `outcome`. */
        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        hint    #34
        sub     sp, sp, #192
        .cfi_def_cfa_offset 192
        STORE_PAIR x29, x30, 16
        STORE_PAIR x19, x20, 32
        STORE_PAIR x21, x22, 48
        STORE_PAIR x23, x24, 64
        STORE_PAIR x25, x26, 80
        STORE_PAIR x27, x28, 96
        STORE_PAIR d8, d9, 112
        STORE_PAIR d10, d11, 128
        STORE_PAIR d12, d13, 144
        STORE_PAIR d14, d15, 160
        stp     x0, x4, [sp]

        mov     x9, x0
        mov     x8, x1
        ldp     x19, x20, [x9]
        ldp     x21, x22, [x9, #16]
        ldp     x23, x24, [x9, #32]
        ldp     x25, x26, [x9, #48]
        ldp     x27, x28, [x9, #64]
        ldr     x29, [x9, #80]
        ldp     d8, d9, [x9, #88]
        ldp     d10, d11, [x9, #104]
        ldp     d12, d13, [x9, #120]
        ldp     d14, d15, [x9, #136]
        mov     x0, x2
        mov     x1, x3
        mov     x10, sp
        str     x10, [x4]
        blr     x8

        ldp     x9, x10, [sp]
        str     x0, [x10, #8]
        mov     x0, #0
        COMPARE x19, 0
        COMPARE x20, 1
        COMPARE x21, 2
        COMPARE x22, 3
        COMPARE x23, 4
        COMPARE x24, 5
        COMPARE x25, 6
        COMPARE x26, 7
        COMPARE x27, 8
        COMPARE x28, 9
        COMPARE x29, 10
        COMPARE_FLOAT d8, 11
        COMPARE_FLOAT d9, 12
        COMPARE_FLOAT d10, 13
        COMPARE_FLOAT d11, 14
        COMPARE_FLOAT d12, 15
        COMPARE_FLOAT d13, 16
        COMPARE_FLOAT d14, 17
        COMPARE_FLOAT d15, 18

        LOAD_PAIR x29, x30, 16
        LOAD_PAIR x19, x20, 32
        LOAD_PAIR x21, x22, 48
        LOAD_PAIR x23, x24, 64
        LOAD_PAIR x25, x26, 80
        LOAD_PAIR x27, x28, 96
        LOAD_PAIR d8, d9, 112
        LOAD_PAIR d10, d11, 128
        LOAD_PAIR d12, d13, 144
        LOAD_PAIR d14, d15, 160
        add     sp, sp, #192
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        hint    #34
        mrs     x0, fpcr
        mrs     x1, fpsr
        orr     x0, x0, x1, lsl #32
        ret
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        hint    #34
        lsr     x1, x0, #32
        mov     w0, w0
        msr     fpcr, x0
        msr     fpsr, x1
        ret
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
        .long   72, 73, 74, 75, 76, 77, 78, 79
        CONSTANT_END registers_in_dwarf
