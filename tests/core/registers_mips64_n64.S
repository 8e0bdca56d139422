/* MIPS, n64 ABI; src/core/arch/mips64_n64.S cites it.

   Words of `values`: s0 to s7, gp, fp, and then f24 to f31.  The control number is
   FCSR. */

#define REGISTERS_COUNT 18
#define REGISTERS_IN_DWARF 18

/* Rounding (0, 1), exceptions that have occurred (2 to 6) and that trap (7 to 11), flush
   to zero (24). */
#define CONTROL_BITS 0x01000fff

#define FRAME_SIZE 176

        /* $2 |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        ld      $10, 8 * (\number)($9)
        xor     $10, $10, \register
        sltu    $10, $0, $10
        dsll    $10, $10, \number
        or      $2, $2, $10
        .endm

        .set    reorder

        FUNCTION_BEGIN registers_hold
        .ent    registers_hold
        .cfi_startproc
        daddiu  $sp, $sp, -FRAME_SIZE
        .cfi_def_cfa_offset FRAME_SIZE
        sd      $31, 16($sp)
        .cfi_rel_offset $31, 16
        .set    index, 0
        .irp    register, $16, $17, $18, $19, $20, $21, $22, $23, $28, $30
        sd      \register, 24 + 8 * index($sp)
        .cfi_rel_offset \register, 24 + 8 * index
        .set    index, index + 1
        .endr
        .irp    register, $f24, $f25, $f26, $f27, $f28, $f29, $f30, $f31
        sdc1    \register, 24 + 8 * index($sp)
        .cfi_rel_offset 46 + index, 24 + 8 * index
        .set    index, index + 1
        .endr
        sd      $4, 0($sp)
        sd      $8, 8($sp)

        move    $9, $4
        .set    index, 0
        .irp    register, $16, $17, $18, $19, $20, $21, $22, $23, $28, $30
        ld      \register, 8 * index($9)
        .set    index, index + 1
        .endr
        .irp    register, $f24, $f25, $f26, $f27, $f28, $f29, $f30, $f31
        ldc1    \register, 8 * index($9)
        .set    index, index + 1
        .endr
        move    $25, $5
        move    $4, $6
        move    $5, $7
        sd      $sp, 0($8)
        jalr    $25

        ld      $9, 8($sp)
        sd      $2, 8($9)
        ld      $9, 0($sp)
        move    $2, $0
        .set    index, 0
        .irp    register, $16, $17, $18, $19, $20, $21, $22, $23, $28, $30
        COMPARE \register, index
        .set    index, index + 1
        .endr
        .irp    register, $f24, $f25, $f26, $f27, $f28, $f29, $f30, $f31
        dmfc1   $11, \register
        COMPARE $11, index
        .set    index, index + 1
        .endr

        ld      $31, 16($sp)
        .cfi_restore $31
        .set    index, 0
        .irp    register, $16, $17, $18, $19, $20, $21, $22, $23, $28, $30
        ld      \register, 24 + 8 * index($sp)
        .cfi_restore \register
        .set    index, index + 1
        .endr
        .irp    register, $f24, $f25, $f26, $f27, $f28, $f29, $f30, $f31
        ldc1    \register, 24 + 8 * index($sp)
        .cfi_restore 46 + index
        .set    index, index + 1
        .endr
        daddiu  $sp, $sp, FRAME_SIZE
        .cfi_def_cfa_offset 0
        jr      $31
        .cfi_endproc
        .end    registers_hold
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        .ent    control_get
        cfc1    $2, $31
        li      $3, CONTROL_BITS
        and     $2, $2, $3
        jr      $31
        .end    control_get
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        .ent    control_set
        ctc1    $4, $31
        jr      $31
        .end    control_set
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   16, 17, 18, 19, 20, 21, 22, 23, 28, 30
        .long   56, 57, 58, 59, 60, 61, 62, 63
        CONSTANT_END registers_in_dwarf
