/* i386, System V ABI and Windows, which preserve the same registers;
   src/core/arch/i386_sysv.S and i386_windows.S cite them.

   Words of `values`: ebx, ebp, esi, edi.  The control number is MXCSR in the low
   half and the x87 control word in the high half. */

#define REGISTERS_COUNT 4
#define REGISTERS_IN_DWARF 4

/* As on x86-64. */
#define CONTROL_BITS 0x00000f3f0000ffff

        .intel_syntax noprefix

        .macro  PUSH_SAVED register
        push    \register
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset \register, 0
        .endm

        .macro  POP_SAVED register
        pop     \register
        .cfi_adjust_cfa_offset -4
        .cfi_restore \register
        .endm

        /* eax |= register differs from its word, as the bit of that number */
        .macro  COMPARE register, number
        xor     edx, edx
        cmp     \register, [ecx + 8 * \number]
        setne   dl
        shl     edx, \number
        or      eax, edx
        .endm

        /* The five arguments are at 32 from the stack pointer of the call. */
        FUNCTION_BEGIN registers_hold
        .cfi_startproc
        endbr32
        PUSH_SAVED ebp
        PUSH_SAVED ebx
        PUSH_SAVED esi
        PUSH_SAVED edi
        sub     esp, 12
        .cfi_adjust_cfa_offset 12

        mov     eax, [esp + 40]
        mov     [esp], eax
        mov     eax, [esp + 44]
        mov     [esp + 4], eax
        mov     edx, [esp + 48]
        mov     [edx], esp
        mov     eax, [esp + 36]
        mov     ecx, [esp + 32]
        mov     ebx, [ecx]
        mov     ebp, [ecx + 8]
        mov     esi, [ecx + 16]
        mov     edi, [ecx + 24]
        call    eax

        mov     ecx, [esp + 48]
        mov     [ecx + 4], eax
        mov     ecx, [esp + 32]
        xor     eax, eax
        COMPARE ebx, 0
        COMPARE ebp, 1
        COMPARE esi, 2
        COMPARE edi, 3
        xor     edx, edx

        add     esp, 12
        .cfi_adjust_cfa_offset -12
        POP_SAVED edi
        POP_SAVED esi
        POP_SAVED ebx
        POP_SAVED ebp
        ret
        .cfi_endproc
        FUNCTION_END registers_hold

        FUNCTION_BEGIN control_get
        .cfi_startproc
        endbr32
        sub     esp, 12
        .cfi_adjust_cfa_offset 12
        stmxcsr [esp]
        fnstcw  [esp + 4]
        mov     eax, [esp]
        movzx   edx, word ptr [esp + 4]
        add     esp, 12
        .cfi_adjust_cfa_offset -12
        ret
        .cfi_endproc
        FUNCTION_END control_get

        FUNCTION_BEGIN control_set
        endbr32
        ldmxcsr [esp + 4]
        fldcw   [esp + 8]
        ret
        FUNCTION_END control_set

        CONSTANT_BEGIN registers_in_dwarf
        .long   3, 5, 6, 7
        CONSTANT_END registers_in_dwarf

        .att_syntax
