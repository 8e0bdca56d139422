/* x86-64, System V ABI; src/core/arch/x86_64_sysv.S cites it.

   Words of `values`: rbx, rbp, r12, r13, r14, r15.  The control number is MXCSR
   in the low half and the x87 control word in the high half. */

#define REGISTERS_COUNT 6
#define REGISTERS_IN_DWARF 6

/* MXCSR: exceptions that have occurred (0 to 5), denormals are zeros (6), exception
   masks (7 to 12), rounding (13, 14), flush to zero (15).  x87: exception masks (0 to
   5), precision (8, 9), rounding (10, 11). */
#define CONTROL_BITS 0x00000f3f0000ffff

        .intel_syntax noprefix

        .macro  PUSH_SAVED register
        push    \register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
        .endm

        .macro  POP_SAVED register
        pop     \register
        .cfi_adjust_cfa_offset -8
        .cfi_restore \register
        .endm

        /* rax |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        xor     edx, edx
        cmp     \register, [rcx + 8 * \number]
        setne   dl
        shl     edx, \number
        or      eax, edx
        .endm

        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        endbr64
        PUSH_SAVED rbp
        PUSH_SAVED rbx
        PUSH_SAVED r12
        PUSH_SAVED r13
        PUSH_SAVED r14
        PUSH_SAVED r15
        sub     rsp, 24
        .cfi_adjust_cfa_offset 24
        mov     [rsp], rdi
        mov     [rsp + 8], r8

        mov     rax, rsi
        mov     rbx, [rdi]
        mov     rbp, [rdi + 8]
        mov     r12, [rdi + 16]
        mov     r13, [rdi + 24]
        mov     r14, [rdi + 32]
        mov     r15, [rdi + 40]
        mov     rdi, rdx
        mov     rsi, rcx
        mov     [r8], rsp
        call    rax

        mov     rcx, [rsp + 8]
        mov     [rcx + 8], rax
        mov     rcx, [rsp]
        xor     eax, eax
        COMPARE rbx, 0
        COMPARE rbp, 1
        COMPARE r12, 2
        COMPARE r13, 3
        COMPARE r14, 4
        COMPARE r15, 5

        add     rsp, 24
        .cfi_adjust_cfa_offset -24
        POP_SAVED r15
        POP_SAVED r14
        POP_SAVED r13
        POP_SAVED r12
        POP_SAVED rbx
        POP_SAVED rbp
        ret
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        .cfi_startproc
        endbr64
        stmxcsr [rsp - 8]
        fnstcw  [rsp - 4]
        mov     eax, [rsp - 8]
        movzx   edx, word ptr [rsp - 4]
        shl     rdx, 32
        or      rax, rdx
        ret
        .cfi_endproc
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        .cfi_startproc
        endbr64
        mov     [rsp - 8], rdi
        ldmxcsr [rsp - 8]
        fldcw   [rsp - 4]
        ret
        .cfi_endproc
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   3, 6, 12, 13, 14, 15
        CONSTANT_END registers_in_dwarf

        .att_syntax
