/* MIPS, n64 ABI, of either byte order (Linux).

   Callee-saved, by the MIPSpro N32 ABI Handbook, chapter 2 (n64 has the same
   registers but for f20 to f23): s0 to s7 ($16 to $23), gp ($28), sp ($29), fp
   ($30) and, with hardware for them, f24 to f31.  ra ($31) has the return address.
   FCSR belongs to the thread; here each coroutine has its own control bits, and its
   own exceptions that have occurred.

   The frame, in bytes from the saved stack pointer:

       0  s0             8  s1
      16  s2            24  s3
      32  s4            40  s5
      48  s6            56  s7
      64  gp            72  fp
      80  ra            88  FCSR
      96  f24          104  f25
     112  f26          120  f27
     128  f28          136  f29
     144  f30          152  f31

   160 bytes: the stack pointer is always a multiple of 16.  There is no property
   note, and no chain of frame pointers. */

#if defined(__mips_soft_float)
#  define HAS_FLOATS 0
#  define STACK_FRAME_SIZE 96
#else
#  define HAS_FLOATS 1
#  define STACK_FRAME_SIZE 160
#endif

/* The bits of FCSR that travel: rounding (0, 1), exceptions that have occurred (2 to
   6) and that trap (7 to 11), flush to zero (24).  Not the causes of the last
   operation (12 to 17): a cause whose exception traps would do so as soon as it is
   loaded. */
#define FCSR_MASK 0x01000fff

        .macro  SAVE register, offset
        sd      \register, \offset($sp)
        .cfi_rel_offset \register, \offset
        .endm

        /* With the number that DWARF has for it. */
        .macro  SAVE_FLOAT register, offset, number
#if HAS_FLOATS
        sdc1    \register, \offset($sp)
        .cfi_rel_offset \number, \offset
#endif
        .endm

        .macro  RESTORE register, offset
        ld      \register, \offset($8)
        .endm

        .macro  RESTORE_FLOAT register, offset
#if HAS_FLOATS
        ldc1    \register, \offset($8)
#endif
        .endm

        .set    noat

        FUNCTION_BEGIN stack_switch
        .ent    stack_switch
        .cfi_startproc
        .set    noreorder
        daddiu  $sp, $sp, -STACK_FRAME_SIZE
        .cfi_def_cfa_offset STACK_FRAME_SIZE
        SAVE    $16, 0
        SAVE    $17, 8
        SAVE    $18, 16
        SAVE    $19, 24
        SAVE    $20, 32
        SAVE    $21, 40
        SAVE    $22, 48
        SAVE    $23, 56
        SAVE    $28, 64
        SAVE    $30, 72
        SAVE    $31, 80
        SAVE_FLOAT $f24, 96, 56
        SAVE_FLOAT $f25, 104, 57
        SAVE_FLOAT $f26, 112, 58
        SAVE_FLOAT $f27, 120, 59
        SAVE_FLOAT $f28, 128, 60
        SAVE_FLOAT $f29, 136, 61
        SAVE_FLOAT $f30, 144, 62
        SAVE_FLOAT $f31, 152, 63
#if HAS_FLOATS
        cfc1    $18, $31
        sd      $18, 88($sp)
#endif

        move    $16, $4
        move    $17, $5
        move    $6, $sp
        /* This module's gp, found by the address of this place, since not all calls
           leave that of stack_switch in $25.  It stays in s3: gp may be another
           module's after a call. */
        bal     LABEL(here)
        nop
LABEL(here):
        lui     $19, %hi(%neg(%gp_rel(LABEL(here))))
        daddiu  $19, $19, %lo(%neg(%gp_rel(LABEL(here))))
        daddu   $19, $19, $31
        ld      $25, %got_disp(stack_save)($19)
        jalr    $25
        nop
        beqz    $2, LABEL(failed)
        nop
        ld      $sp, 0($17)
        move    $4, $16
        move    $5, $17
        ld      $25, %got_disp(stack_restore)($19)
        jalr    $25
        nop
        beqz    $2, LABEL(start)
        nop

        move    $8, $2
        move    $5, $17
LABEL(return):
        move    $4, $16
#if HAS_FLOATS
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: s2 still has the word
           that is in force. */
        li      $10, FCSR_MASK
        ld      $9, 88($8)
        and     $9, $9, $10
        and     $18, $18, $10
        bne     $9, $18, LABEL(control)
        nop
#endif
LABEL(pop):
        .cfi_remember_state
        ld      $25, 0($4)
        RESTORE $16, 0
        RESTORE $17, 8
        RESTORE $18, 16
        RESTORE $19, 24
        RESTORE $20, 32
        RESTORE $21, 40
        RESTORE $22, 48
        RESTORE $23, 56
        RESTORE $28, 64
        RESTORE $30, 72
        RESTORE $31, 80
        RESTORE_FLOAT $f24, 96
        RESTORE_FLOAT $f25, 104
        RESTORE_FLOAT $f26, 112
        RESTORE_FLOAT $f27, 120
        RESTORE_FLOAT $f28, 128
        RESTORE_FLOAT $f29, 136
        RESTORE_FLOAT $f30, 144
        RESTORE_FLOAT $f31, 152
        daddiu  $sp, $sp, STACK_FRAME_SIZE
        .cfi_def_cfa_offset 0
        .irp    register, $16, $17, $18, $19, $20, $21, $22, $23, $28, $30, $31
        .cfi_restore \register
        .endr
#if HAS_FLOATS
        .irp    number, 56, 57, 58, 59, 60, 61, 62, 63
        .cfi_restore \number
        .endr
#endif
        jr      $25
        nop

#if HAS_FLOATS
LABEL(control):
        .cfi_restore_state
        .cfi_remember_state
        ctc1    $9, $31
        b       LABEL(pop)
        nop
#endif

LABEL(failed):
        .cfi_restore_state
        move    $8, $sp
        b       LABEL(return)
        move    $5, $0

        /* The outermost frame of a new coroutine: unwinders end here. */
LABEL(start):
        .cfi_undefined $31
        move    $4, $16
        ld      $25, 8($16)
        jalr    $25
        move    $30, $0
        break
        .cfi_endproc
        .set    reorder
        .end    stack_switch
        FUNCTION_END stack_switch

        /* Nothing keeps a second stack of return addresses. */
        FUNCTION_BEGIN stack_is_guarded
        .ent    stack_is_guarded
        move    $2, $0
        jr      $31
        .end    stack_is_guarded
        FUNCTION_END stack_is_guarded

        .set    at
