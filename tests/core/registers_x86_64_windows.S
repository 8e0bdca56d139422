/* x86-64, Windows; src/core/arch/x86_64_windows.S cites the ABI.

   Words of `values`: rbx, rbp, rdi, rsi, r12, r13, r14, r15, and then xmm6 to xmm15
   with two words each.  The control number is MXCSR in the low half and the x87
   control word in the high half. */

#define REGISTERS_COUNT 28
#define REGISTERS_IN_DWARF 8

/* As elsewhere on x86-64. */
#define CONTROL_BITS 0x00000f3f0000ffff

        .intel_syntax noprefix

        .macro  PUSH_SAVED register
        push    \register
        .seh_pushreg \register
        .endm

        /* rax |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        xor     edx, edx
        cmp     \register, [rcx + 8 * (\number)]
        setne   dl
        shl     rdx, (\number)
        or      rax, rdx
        .endm

        /* The same for both words of a vector. */
        .macro  COMPARE_VECTOR register, number
        movq    r8, \register
        COMPARE r8, \number
        psrldq  \register, 8
        movq    r8, \register
        COMPARE r8, (\number+1)
        .endm

        /* 32: xmm6 to xmm15; 192: `values`, and `outcome` is where the caller has it,
           at 304. */
        FUNCTION_BEGIN registers_hold
        .seh_proc registers_hold
        PUSH_SAVED rbp
        PUSH_SAVED rbx
        PUSH_SAVED rdi
        PUSH_SAVED rsi
        PUSH_SAVED r12
        PUSH_SAVED r13
        PUSH_SAVED r14
        PUSH_SAVED r15
        sub     rsp, 200
        .seh_stackalloc 200
        .irp    number, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  [rsp + 32 + 16 * (\number - 6)], xmm\number
        .seh_savexmm xmm\number, 32 + 16 * (\number - 6)
        .endr
        .seh_endprologue
        mov     [rsp + 192], rcx

        mov     rax, rdx
        mov     r10, [rsp + 304]
        mov     [r10], rsp
        mov     rbx, [rcx]
        mov     rbp, [rcx + 8]
        mov     rdi, [rcx + 16]
        mov     rsi, [rcx + 24]
        mov     r12, [rcx + 32]
        mov     r13, [rcx + 40]
        mov     r14, [rcx + 48]
        mov     r15, [rcx + 56]
        .irp    number, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  xmm\number, [rcx + 64 + 16 * (\number - 6)]
        .endr
        mov     rcx, r8
        mov     rdx, r9
        call    rax

        mov     rcx, [rsp + 304]
        mov     [rcx + 8], rax
        mov     rcx, [rsp + 192]
        xor     eax, eax
        COMPARE rbx, 0
        COMPARE rbp, 1
        COMPARE rdi, 2
        COMPARE rsi, 3
        COMPARE r12, 4
        COMPARE r13, 5
        COMPARE r14, 6
        COMPARE r15, 7
        COMPARE_VECTOR xmm6, 8
        COMPARE_VECTOR xmm7, 10
        COMPARE_VECTOR xmm8, 12
        COMPARE_VECTOR xmm9, 14
        COMPARE_VECTOR xmm10, 16
        COMPARE_VECTOR xmm11, 18
        COMPARE_VECTOR xmm12, 20
        COMPARE_VECTOR xmm13, 22
        COMPARE_VECTOR xmm14, 24
        COMPARE_VECTOR xmm15, 26

        .irp    number, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movaps  xmm\number, [rsp + 32 + 16 * (\number - 6)]
        .endr
        add     rsp, 200
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rsi
        pop     rdi
        pop     rbx
        pop     rbp
        ret
        .seh_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        stmxcsr [rsp + 8]
        fnstcw  [rsp + 12]
        mov     eax, [rsp + 8]
        movzx   edx, word ptr [rsp + 12]
        shl     rdx, 32
        or      rax, rdx
        ret
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        mov     [rsp + 8], rcx
        ldmxcsr [rsp + 8]
        fldcw   [rsp + 12]
        ret
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   3, 6, 5, 4, 12, 13, 14, 15
        CONSTANT_END registers_in_dwarf

        .att_syntax
