/* i386, System V ABI (Linux, the BSDs).

   Callee-saved, by the Intel386 psABI 1.1, section 2.2 and table 2.3: ebx, esi,
   edi, ebp, esp, the control bits of MXCSR and the x87 control word.  Each
   coroutine has MXCSR's status bits of its own, too; the x87 status word is the
   thread's.  SSE is needed, which every processor of the last twenty years has.

   The frame, in bytes from the saved stack pointer:

       0  MXCSR          4  x87 control word (2 bytes, 2 unused)
       8  unused        12  edi
      16  esi           20  ebx
      24  ebp           28  return address

   32 bytes with the return address; it is at a multiple of 16.  Farther away are
   the two arguments, which belong to the callee: the landing gets them as its own.
   Nearer is room for the arguments of the functions called from here:

     -16  stack        -12  target
      -8  frame         -4  unused

   No property note: shadow stacks are not kept. */

#define STACK_FRAME_SIZE 32

        .intel_syntax noprefix

        FUNCTION_BEGIN stack_switch
        .cfi_startproc
        endbr32
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
        sub     esp, 12
        .cfi_adjust_cfa_offset 12
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
        mov     edx, [ebx]
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

        /* The outermost frame of a new coroutine: unwinders end here. */
LABEL(start):
        .cfi_undefined eip
        mov     [esp], ebx
        xor     ebp, ebp
        call    [ebx + 4]
        ud2
        .cfi_endproc
        FUNCTION_END stack_switch

        /* On a processor without shadow stacks, or where they are not in force, the
           instruction that asks does nothing. */
        FUNCTION_BEGIN stack_is_guarded
        .cfi_startproc
        endbr32
        xor     eax, eax
        rdsspd  eax
        test    eax, eax
        setne   al
        movzx   eax, al
        ret
        .cfi_endproc
        FUNCTION_END stack_is_guarded

        .att_syntax
