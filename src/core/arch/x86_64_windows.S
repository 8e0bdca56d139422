/* x86-64, Windows.

   Callee-saved, by Microsoft's "x64 ABI conventions", sections "Register volatility
   and preservation", "MxCsr" and "x87 FPU register stack": rbx, rbp, rdi, rsi, rsp,
   r12 to r15, xmm6 to xmm15, the control bits of MXCSR and the x87 control word.
   Each coroutine has MXCSR's status bits of its own, too; the x87 status word is the
   thread's.

   The frame, in bytes from the saved stack pointer:

       0  xmm6           16  xmm7
      32  xmm8           48  xmm9
      64  xmm10          80  xmm11
      96  xmm12         112  xmm13
     128  xmm14         144  xmm15
     160  MXCSR         164  x87 control word (2 bytes, 2 unused)
     168  r15           176  r14
     184  r13           192  r12
     200  rsi           208  rdi
     216  rbx           224  rbp
     232  return address

   240 bytes with the return address; it is at a multiple of 16.  Nearer than the
   frame, each function called from here has 32 bytes for its arguments: they are no
   part of the frame, since stack_restore may use them while it brings the frame's
   bytes back.

   Unwinders know the frame by the prologue, which has to match its description.
   What Windows knows of the stack that a thread runs on is stack_save's to change.
   Shadow stacks are not kept, so nothing may be linked with /CETCOMPAT. */

#define STACK_FRAME_SIZE 240
#define SHADOW 32

        .intel_syntax noprefix

        .macro  PUSH_SAVED register
        push    \register
        .seh_pushreg \register
        .endm

        .macro  SAVE_VECTOR register, offset
        movaps  [rsp + SHADOW + \offset], \register
        .seh_savexmm \register, SHADOW + \offset
        .endm

        FUNCTION_BEGIN stack_switch
        .seh_proc stack_switch
        PUSH_SAVED rbp
        PUSH_SAVED rbx
        PUSH_SAVED rdi
        PUSH_SAVED rsi
        PUSH_SAVED r12
        PUSH_SAVED r13
        PUSH_SAVED r14
        PUSH_SAVED r15
        sub     rsp, 168 + SHADOW
        .seh_stackalloc 168 + SHADOW
        SAVE_VECTOR xmm6, 0
        SAVE_VECTOR xmm7, 16
        SAVE_VECTOR xmm8, 32
        SAVE_VECTOR xmm9, 48
        SAVE_VECTOR xmm10, 64
        SAVE_VECTOR xmm11, 80
        SAVE_VECTOR xmm12, 96
        SAVE_VECTOR xmm13, 112
        SAVE_VECTOR xmm14, 128
        SAVE_VECTOR xmm15, 144
        .seh_endprologue
        stmxcsr [rsp + SHADOW + 160]
        fnstcw  [rsp + SHADOW + 164]
        mov     ebp, [rsp + SHADOW + 160]
        movzx   r12d, word ptr [rsp + SHADOW + 164]

        mov     rbx, rcx
        mov     r13, rdx
        lea     r8, [rsp + SHADOW]
        call    SYMBOL(stack_save)
        test    rax, rax
        jz      LABEL(failed)
        mov     rax, [r13]
        lea     rsp, [rax - SHADOW]
        mov     rcx, rbx
        mov     rdx, r13
        call    SYMBOL(stack_restore)
        test    rax, rax
        jz      LABEL(start)

        mov     rdx, r13
LABEL(return):
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: rbp and r12 still have
           the words that are in force. */
        mov     rcx, rbx
        xor     ebp, [rax + 160]
        xor     r12w, [rax + 164]
        or      ebp, r12d
        jnz     LABEL(control)
LABEL(pop):
        movaps  xmm6, [rax]
        movaps  xmm7, [rax + 16]
        movaps  xmm8, [rax + 32]
        movaps  xmm9, [rax + 48]
        movaps  xmm10, [rax + 64]
        movaps  xmm11, [rax + 80]
        movaps  xmm12, [rax + 96]
        movaps  xmm13, [rax + 112]
        movaps  xmm14, [rax + 128]
        movaps  xmm15, [rax + 144]
        mov     r15, [rax + 168]
        mov     r14, [rax + 176]
        mov     r13, [rax + 184]
        mov     r12, [rax + 192]
        mov     rsi, [rax + 200]
        mov     rdi, [rax + 208]
        mov     rbx, [rax + 216]
        mov     rbp, [rax + 224]
        add     rsp, 232 + SHADOW
        jmp     [rcx]

LABEL(control):
        ldmxcsr [rax + 160]
        test    r12d, r12d
        jz      LABEL(pop)
        fldcw   [rax + 164]
        jmp     LABEL(pop)

LABEL(failed):
        lea     rax, [rsp + SHADOW]
        xor     edx, edx
        jmp     LABEL(return)
        .seh_endproc
        FUNCTION_END stack_switch

        /* The outermost frame of a new coroutine: a function of its own for unwinders,
           since the frame of stack_switch is not there.  Its return address is zero.
           Unwinders take that for a function without a frame, whose return address is
           the second zero; and they end at a function that returns to itself. */
        .p2align 4
        .def    stack_switch_start
        .scl    3
        .type   32
        .endef
stack_switch_start:
        .seh_proc stack_switch_start
        .seh_handler stack_unhandled, @except
LABEL(start):
        sub     rsp, 32
        .seh_stackalloc SHADOW + 16
        .seh_endprologue
        mov     qword ptr [rsp + SHADOW + 16], 0
        mov     qword ptr [rsp + SHADOW + 24], 0
        mov     rcx, rbx
        xor     ebp, ebp
        call    [rbx + 8]
        ud2
        .seh_endproc

        /* On a processor without shadow stacks, or where they are not in force, the
           instruction that asks does nothing. */
        FUNCTION_BEGIN stack_is_guarded
        xor     eax, eax
        rdsspq  rax
        test    rax, rax
        jnz     SYMBOL(shadow_stack_binds)
        ret
        FUNCTION_END stack_is_guarded

        .att_syntax
