/* LoongArch, 64 bits; src/core/arch/loongarch64_lp64.S cites the ABI.

   Words of `values`: s0 to s8, fp, and then fs0 to fs7.  The control number is FCSR. */

#define REGISTERS_COUNT 18
#define REGISTERS_IN_DWARF 18

/* Exceptions that trap (0 to 4), rounding (8, 9), exceptions that have occurred (16 to
   20). */
#define CONTROL_BITS 0x1f031f

#define FRAME_SIZE 176

        /* a0 |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        ld.d    $t2, $t1, 8 * (\number)
        xor     $t2, $t2, \register
        sltu    $t2, $zero, $t2
        slli.d  $t2, $t2, \number
        or      $a0, $a0, $t2
        .endm

        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        addi.d  $sp, $sp, -FRAME_SIZE
        .cfi_def_cfa_offset FRAME_SIZE
        st.d    $ra, $sp, 16
        .cfi_rel_offset $ra, 16
        .set    index, 0
        .irp    register, $s0, $s1, $s2, $s3, $s4, $s5, $s6, $s7, $s8, $fp
        st.d    \register, $sp, 24 + 8 * index
        .cfi_rel_offset \register, 24 + 8 * index
        .set    index, index + 1
        .endr
        .irp    register, $fs0, $fs1, $fs2, $fs3, $fs4, $fs5, $fs6, $fs7
        fst.d   \register, $sp, 24 + 8 * index
        .cfi_rel_offset \register, 24 + 8 * index
        .set    index, index + 1
        .endr
        st.d    $a0, $sp, 0
        st.d    $a4, $sp, 8

        move    $t1, $a0
        .set    index, 0
        .irp    register, $s0, $s1, $s2, $s3, $s4, $s5, $s6, $s7, $s8, $fp
        ld.d    \register, $t1, 8 * index
        .set    index, index + 1
        .endr
        .irp    register, $fs0, $fs1, $fs2, $fs3, $fs4, $fs5, $fs6, $fs7
        fld.d   \register, $t1, 8 * index
        .set    index, index + 1
        .endr
        move    $t0, $a1
        move    $a0, $a2
        move    $a1, $a3
        st.d    $sp, $a4, 0
        jirl    $ra, $t0, 0

        ld.d    $t1, $sp, 8
        st.d    $a0, $t1, 8
        ld.d    $t1, $sp, 0
        move    $a0, $zero
        .set    index, 0
        .irp    register, $s0, $s1, $s2, $s3, $s4, $s5, $s6, $s7, $s8, $fp
        COMPARE \register, index
        .set    index, index + 1
        .endr
        .irp    register, $fs0, $fs1, $fs2, $fs3, $fs4, $fs5, $fs6, $fs7
        movfr2gr.d $t3, \register
        COMPARE $t3, index
        .set    index, index + 1
        .endr

        ld.d    $ra, $sp, 16
        .cfi_restore $ra
        .set    index, 0
        .irp    register, $s0, $s1, $s2, $s3, $s4, $s5, $s6, $s7, $s8, $fp
        ld.d    \register, $sp, 24 + 8 * index
        .cfi_restore \register
        .set    index, index + 1
        .endr
        .irp    register, $fs0, $fs1, $fs2, $fs3, $fs4, $fs5, $fs6, $fs7
        fld.d   \register, $sp, 24 + 8 * index
        .cfi_restore \register
        .set    index, index + 1
        .endr
        addi.d  $sp, $sp, FRAME_SIZE
        .cfi_def_cfa_offset 0
        jr      $ra
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        movfcsr2gr $a0, $fcsr0
        li.w    $t0, CONTROL_BITS
        and     $a0, $a0, $t0
        jr      $ra
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        movgr2fcsr $fcsr0, $a0
        jr      $ra
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   23, 24, 25, 26, 27, 28, 29, 30, 31, 22
        .long   56, 57, 58, 59, 60, 61, 62, 63
        CONSTANT_END registers_in_dwarf
