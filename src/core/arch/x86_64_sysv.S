/* x86-64, System V ABI (Linux, macOS, the BSDs).

   Callee-saved, by the x86-64 psABI 1.0, section 3.2.1 and figure 3.4: rbx,
   rsp, rbp, r12 to r15, the control bits of MXCSR and the x87 control word.

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

FUNCTION_BEGIN(stack_switch)
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
        mov     rsi, rsp
        call    FUNCTION_CALLED(stack_save)
        test    rax, rax
        jz      .Lfailed
        mov     rsp, rax
        mov     rdi, rbx
        call    FUNCTION_CALLED(stack_restore)
        test    rax, rax
        jnz     .Lstart

        /* The control words are the same but for programs that set them, and
           comparing is cheaper than loading: rbp and r12 still have those that
           are in force.  MXCSR's six lowest bits are status, not control. */
        xor     esi, esi
.Lreturn:
        mov     rdi, rbx
        xor     ebp, [rsp]
        xor     r12w, [rsp + 4]
        and     ebp, 0xffc0
        or      ebp, r12d
        jnz     .Lcontrol
.Lpop:
        .cfi_remember_state
        add     rsp, 8
        .cfi_adjust_cfa_offset -8
        pop     r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        pop     r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        pop     r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        pop     r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        pop     rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        pop     rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        jmp     [rdi]

.Lcontrol:
        .cfi_restore_state
        ldmxcsr [rsp]
        fldcw   [rsp + 4]
        jmp     .Lpop

.Lfailed:
        mov     esi, -1
        jmp     .Lreturn

        /* The outermost frame of a new coroutine: unwinders end here. */
.Lstart:
        .cfi_undefined rip
        mov     rdi, rbx
        xor     ebp, ebp
        call    rax
        ud2
        .cfi_endproc
FUNCTION_END(stack_switch)

        .att_syntax
