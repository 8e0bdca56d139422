/* ARM, AAPCS32; src/core/arch/arm_aapcs32.S cites it.

   Words of `values`: r4 to r11, and then d8 to d15 if there are such registers.  The
   control number is FPSCR. */

#if defined(__SOFTFP__)
#  define HAS_FLOATS 0
#  define REGISTERS_COUNT 8
#else
#  define HAS_FLOATS 1
#  define REGISTERS_COUNT 16
        .fpu    vfpv2
#endif

/* ARM's unwinder tells the others in another way. */
#define REGISTERS_IN_DWARF 8

/* FPSCR: exceptions that have occurred (0 to 4 and 7) and that trap (8 to 12 and 15),
   rounding (22, 23), flush to zero (24), default NaN (25), alternative half precision
   (26), saturation (27). */
#if HAS_FLOATS
#  define CONTROL_BITS 0x0fc09f9f
#else
#  define CONTROL_BITS 0
#endif

        .syntax unified
        .arm

        /* r0 |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        ldr     r3, [r1, #8 * \number]
        cmp     \register, r3
        orrne   r0, r0, #1 << \number
        .endm

        .macro  COMPARE_FLOAT register, number
        vmov    r2, r12, \register
        COMPARE r2, \number
        ldr     r3, [r1, #8 * \number + 4]
        cmp     r12, r3
        orrne   r0, r0, #1 << \number
        .endm

        /* Below the registers: `values`, `outcome`. */
        FUNCTION_BEGIN registers_hold
        .fnstart
        push    {r4-r11, lr}
        .save   {r4-r11, lr}
        sub     sp, sp, #4
        .pad    #4
#if HAS_FLOATS
        ldr     r12, [sp, #40]
        vpush   {d8-d15}
        .vsave  {d8-d15}
        add     r4, r0, #64
        vldmia  r4, {d8-d15}
#else
        ldr     r12, [sp, #40]
#endif
        sub     sp, sp, #8
        .pad    #8
        str     r0, [sp]
        str     r12, [sp, #4]
        str     sp, [r12]
        mov     r12, r0
        mov     lr, r1
        mov     r0, r2
        mov     r1, r3
        ldr     r4, [r12]
        ldr     r5, [r12, #8]
        ldr     r6, [r12, #16]
        ldr     r7, [r12, #24]
        ldr     r8, [r12, #32]
        ldr     r9, [r12, #40]
        ldr     r10, [r12, #48]
        ldr     r11, [r12, #56]
        blx     lr

        ldr     r1, [sp, #4]
        str     r0, [r1, #4]
        ldr     r1, [sp]
        mov     r0, #0
        COMPARE r4, 0
        COMPARE r5, 1
        COMPARE r6, 2
        COMPARE r7, 3
        COMPARE r8, 4
        COMPARE r9, 5
        COMPARE r10, 6
        COMPARE r11, 7
#if HAS_FLOATS
        COMPARE_FLOAT d8, 8
        COMPARE_FLOAT d9, 9
        COMPARE_FLOAT d10, 10
        COMPARE_FLOAT d11, 11
        COMPARE_FLOAT d12, 12
        COMPARE_FLOAT d13, 13
        COMPARE_FLOAT d14, 14
        COMPARE_FLOAT d15, 15
#endif
        mov     r1, #0
        add     sp, sp, #8
#if HAS_FLOATS
        vpop    {d8-d15}
#endif
        add     sp, sp, #4
        pop     {r4-r11, pc}
        .fnend
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        .fnstart
#if HAS_FLOATS
        vmrs    r0, fpscr
        ldr     r1, LABEL(control_mask)
        and     r0, r0, r1
#else
        mov     r0, #0
#endif
        mov     r1, #0
        bx      lr
#if HAS_FLOATS
LABEL(control_mask):
        .long   CONTROL_BITS
#endif
        .fnend
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        .fnstart
#if HAS_FLOATS
        vmsr    fpscr, r0
#endif
        bx      lr
        .fnend
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   4, 5, 6, 7, 8, 9, 10, 11
        CONSTANT_END registers_in_dwarf
