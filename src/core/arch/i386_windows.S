/* i386, Windows.

   Callee-saved, by Microsoft's "Argument Passing and Naming Conventions" and "MxCsr":
   ebx, esi, edi, ebp, esp, the control bits of MXCSR and the x87 control word, as
   in the System V ABI.  Each coroutine has MXCSR's status bits of its own, too; the
   x87 status word is the thread's.  SSE is needed.

   The exception handlers of the functions under way are a list of records in their
   frames: the first one's address is fs:[0], the last one's next is -1.  So each
   coroutine has a list of its own, on the stack that it runs on, where alone records
   are valid.  Windows may insist that every list ends with the handler with which
   it has begun those of the thread (SEHOP), so a new coroutine's does as well.

   The frame, in bytes from the saved stack pointer:

       0  MXCSR          4  x87 control word (2 bytes, 2 unused)
       8  fs:[0]        12  edi
      16  esi           20  ebx
      24  ebp           28  return address

   32 bytes with the return address; it is at a multiple of 4, and of 16 where the
   compiler keeps to that.  Farther away are the two arguments, which belong to the
   callee: the landing gets them as its own.  Nearer is room for the arguments of
   the functions called from here:

     -16  stack        -12  target
      -8  frame         -4  unused

   Shadow stacks are not kept, so nothing may be linked with /CETCOMPAT. */

#define STACK_FRAME_SIZE 32

        .intel_syntax noprefix

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
        push    ebp
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset ebp, 0
        push    ebx
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset ebx, 0
        push    esi
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset esi, 0
        push    edi
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset edi, 0
        push    dword ptr fs:[0]
        .cfi_adjust_cfa_offset 4
        sub     esp, 8
        .cfi_adjust_cfa_offset 8
        stmxcsr [esp]
        fnstcw  [esp + 4]
        mov     edi, [esp]
        movzx   ebp, word ptr [esp + 4]

        mov     ebx, [esp + 32]
        mov     esi, [esp + 36]
        mov     eax, esp
        sub     esp, 16
        .cfi_adjust_cfa_offset 16
        mov     [esp], ebx
        mov     [esp + 4], esi
        mov     [esp + 8], eax
        /* Only of a new coroutine near and far, its first two words, are equal. */
        mov     ecx, [esi]
        cmp     ecx, [esi + 4]
        je      LABEL(new)
LABEL(save):
        call    SYMBOL(stack_save)
        test    eax, eax
        jz      LABEL(failed)
        mov     eax, [esi]
        lea     esp, [eax - 16]
        mov     [esp], ebx
        mov     [esp + 4], esi
        call    SYMBOL(stack_restore)
        test    eax, eax
        jz      LABEL(start)

        mov     [esp + 52], esi
LABEL(return):
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: edi and ebp still have
           the words that are in force. */
        xor     edi, [eax]
        xor     bp, [eax + 4]
        or      edi, ebp
        jnz     LABEL(control)
LABEL(pop):
        .cfi_remember_state
        mov     ecx, [eax + 8]
        mov     edx, [ebx]
        mov     fs:[0], ecx
        mov     edi, [eax + 12]
        mov     esi, [eax + 16]
        mov     ebx, [eax + 20]
        mov     ebp, [eax + 24]
        add     esp, 44
        .cfi_def_cfa_offset 4
        .cfi_restore edi
        .cfi_restore esi
        .cfi_restore ebx
        .cfi_restore ebp
        jmp     edx

LABEL(control):
        .cfi_restore_state
        ldmxcsr [eax]
        test    ebp, ebp
        jz      LABEL(pop)
        fldcw   [eax + 4]
        jmp     LABEL(pop)

LABEL(failed):
        lea     eax, [esp + 16]
        mov     dword ptr [esp + 52], 0
        jmp     LABEL(return)

        /* edi: the last handler of the list, while there is one.  Should the switch
           fail, the word that was there is loaded from the frame. */
LABEL(new):
        mov     ecx, fs:[0]
        xor     edi, edi
LABEL(older):
        cmp     ecx, -1
        je      LABEL(save)
        mov     edi, [ecx + 4]
        mov     ecx, [ecx]
        jmp     LABEL(older)

        /* The outermost frame of a new coroutine: unwinders end here.  Its list of
           handlers has stack_unhandled, and farther away the thread's last one:

              16  next   20  stack_unhandled
              24  -1     28  the last handler */
LABEL(start):
        .cfi_undefined eip
        sub     esp, 16
        or      eax, -1
        mov     dword ptr [esp + 20], offset SYMBOL(stack_unhandled)
        mov     [esp + 24], eax
        mov     [esp + 28], edi
        test    edi, edi
        jz      LABEL(alone)
        lea     eax, [esp + 24]
LABEL(alone):
        mov     [esp + 16], eax
        lea     eax, [esp + 16]
        mov     fs:[0], eax
        mov     [esp], ebx
        xor     ebp, ebp
        call    [ebx + 4]
        ud2
        .cfi_endproc
        FUNCTION_END stack_switch

        /* On a processor without shadow stacks, or where they are not in force, the
           instruction that asks does nothing. */
        FUNCTION_BEGIN stack_is_guarded
        xor     eax, eax
        rdsspd  eax
        test    eax, eax
        jnz     SYMBOL(shadow_stack_binds)
        ret
        FUNCTION_END stack_is_guarded

        .att_syntax

#if defined(__clang__)
        /* The linker may list all handlers that count (SafeSEH): the one that this
           file has is among them, and nothing here speaks against a list. */
        .safeseh SYMBOL(stack_unhandled)
        .def    "@feat.00"
        .scl    3
        .type   0
        .endef
        .globl  "@feat.00"
        .set    "@feat.00", 1
#endif
