/* x86-64, System V ABI (Linux, macOS, the BSDs).

   Callee-saved, by the x86-64 psABI 1.0, section 3.2.1 and figure 3.4: rbx,
   rsp, rbp, r12 to r15, the control bits of MXCSR and the x87 control word.  Each
   coroutine has MXCSR's status bits of its own, too; the x87 status word is the
   thread's.

   The frame, in bytes from the saved stack pointer:

       0  MXCSR          4  x87 control word (2 bytes, 2 unused)
       8  r15           16  r14
      24  r13           32  r12
      40  rbx           48  rbp
      56  return address

   64 bytes with the return address: the stack pointer is a multiple of 16 at
   every call.  No property note: shadow stacks are not kept. */

#define STACK_FRAME_SIZE 64

        .intel_syntax noprefix

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
        endbr64
        push    rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        push    rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        push    r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        push    r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        push    r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        push    r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        sub     rsp, 8
        .cfi_adjust_cfa_offset 8
        stmxcsr [rsp]
        fnstcw  [rsp + 4]
        mov     ebp, [rsp]
        movzx   r12d, word ptr [rsp + 4]

        mov     rbx, rdi
        mov     r13, rsi
        mov     rdx, rsp
        call    SYMBOL(stack_save)
        test    rax, rax
        jz      LABEL(failed)
        mov     rsp, [r13]
        mov     rdi, rbx
        mov     rsi, r13
        call    SYMBOL(stack_restore)
        test    rax, rax
        jz      LABEL(start)

        mov     rsi, r13
LABEL(return):
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: rbp and r12 still have
           the words that are in force. */
        mov     rdi, rbx
        xor     ebp, [rax]
        xor     r12w, [rax + 4]
        or      ebp, r12d
        jnz     LABEL(control)
LABEL(pop):
        .cfi_remember_state
        mov     r15, [rax + 8]
        mov     r14, [rax + 16]
        mov     r13, [rax + 24]
        mov     r12, [rax + 32]
        mov     rbx, [rax + 40]
        mov     rbp, [rax + 48]
        add     rsp, 56
        .cfi_def_cfa_offset 8
        .cfi_restore r15
        .cfi_restore r14
        .cfi_restore r13
        .cfi_restore r12
        .cfi_restore rbx
        .cfi_restore rbp
        jmp     [rdi]

LABEL(control):
        .cfi_restore_state
        ldmxcsr [rax]
        test    r12d, r12d
        jz      LABEL(pop)
        fldcw   [rax + 4]
        jmp     LABEL(pop)

LABEL(failed):
        mov     rax, rsp
        xor     esi, esi
        jmp     LABEL(return)

        /* The outermost frame of a new coroutine: unwinders end here.  A call that jumps,
           see step 5 in switch.h. */
LABEL(start):
        .cfi_undefined rip
        mov     rdi, rbx
        xor     ebp, ebp
        lea     rax, [rip + LABEL(end)]
        push    rax
        jmp     [rbx + 8]
LABEL(end):
        ud2
        .cfi_endproc
        FUNCTION_END stack_switch

        /* On a processor without shadow stacks, or where they are not in force, the
           instruction that asks does nothing. */
        FUNCTION_BEGIN stack_is_guarded
        .cfi_startproc
        endbr64
        xor     eax, eax
        rdsspq  rax
        test    rax, rax
        setne   al
        movzx   eax, al
        ret
        .cfi_endproc
        FUNCTION_END stack_is_guarded

        .att_syntax
