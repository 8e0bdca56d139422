/* AArch64, AAPCS64 (Linux, the BSDs, macOS, and Windows, whose own rules differ
   only in what is said to unwinders).

   Callee-saved, by AAPCS64, sections 6.1.1 and 6.1.2: x19 to x28, x29 (frame
   pointer), sp, and the lower halves of v8 to v15, which are d8 to d15.  x30 has
   the return address.  FPCR (control) and FPSR (status) are global registers, and
   only support functions change FPCR; here each coroutine has its own.  x18 belongs
   to the platform: it stays untouched.

   The frame, in bytes from the saved stack pointer:

       0  x29            8  x30
      16  x19           24  x20
      32  x21           40  x22
      48  x23           56  x24
      64  x25           72  x26
      80  x27           88  x28
      96  d8           104  d9
     112  d10          120  d11
     128  d12          136  d13
     144  d14          152  d15
     160  FPCR         168  FPSR

   176 bytes: the stack pointer is always a multiple of 16.  x29 and x30 are a frame
   record (section 6.4.6), for those who follow frame pointers.

   The return address is signed wherever compiled code does so.  It is signed with
   the stack pointer of the entry, and that is the same at the end, since a coroutine
   is always resumed at its own addresses.  No guarded control stack is kept, and no
   property note says so. */

#define STACK_FRAME_SIZE 176

/* An ABI of its own, which only Apple's programs are built for. */
#if defined(__arm64e__)
#  error "no stack switch for arm64e, where functions' addresses are signed: build for arm64"
#endif

#if defined(_WIN32)
#  define UNWINDS_BY_SEH 1
#else
#  define UNWINDS_BY_SEH 0
#endif

        /* The instructions that sign are `bti c` as well, and do nothing on a
           processor that knows neither landing pads nor signatures. */
#if defined(__ARM_FEATURE_PAC_DEFAULT) && (__ARM_FEATURE_PAC_DEFAULT & 2)
#  define SIGNS_RETURN 1
#  define ENTRY_HINT 27 /* pacibsp */
#  define RETURN_HINT 31 /* autibsp */
#elif defined(__ARM_FEATURE_PAC_DEFAULT)
#  define SIGNS_RETURN 1
#  define ENTRY_HINT 25 /* paciasp */
#  define RETURN_HINT 29 /* autiasp */
#else
#  define SIGNS_RETURN 0
#  define ENTRY_HINT 34 /* bti c */
#endif

        /* What Windows' unwinders know of an instruction that moves a pair: each
           one of the prologue and of the epilogue has such a code. */
        .macro  DESCRIBE_PAIR first, offset, seh
#if UNWINDS_BY_SEH
        .ifc    \first, x29
        .seh_save_fplr \offset
        .else
        \seh    \first, \offset
        .endif
#endif
        .endm

        .macro  STORE_PAIR first, second, offset, seh
        stp     \first, \second, [sp, #\offset]
#if !UNWINDS_BY_SEH
        .cfi_rel_offset \first, \offset
        .cfi_rel_offset \second, \offset + 8
#endif
        DESCRIBE_PAIR \first, \offset, \seh
        .endm

        .macro  LOAD_PAIR first, second, offset, seh
        ldp     \first, \second, [x9, #\offset]
        DESCRIBE_PAIR \first, \offset, \seh
        .endm

        .macro  RESTORED first, second
#if !UNWINDS_BY_SEH
        .cfi_restore \first
        .cfi_restore \second
#endif
        .endm

        FUNCTION_BEGIN stack_switch
#if UNWINDS_BY_SEH
        .seh_proc stack_switch
#else
        .cfi_startproc
#  if SIGNS_RETURN && (__ARM_FEATURE_PAC_DEFAULT & 2)
        .cfi_b_key_frame
#  endif
#endif
        hint    #ENTRY_HINT
#if UNWINDS_BY_SEH && SIGNS_RETURN
        .seh_pac_sign_lr
#elif UNWINDS_BY_SEH
        .seh_nop
#elif SIGNS_RETURN
        .cfi_negate_ra_state
#endif
        sub     sp, sp, #STACK_FRAME_SIZE
#if UNWINDS_BY_SEH
        .seh_stackalloc STACK_FRAME_SIZE
#else
        .cfi_def_cfa_offset STACK_FRAME_SIZE
#endif
        STORE_PAIR x29, x30, 0, .seh_save_fplr
        STORE_PAIR x19, x20, 16, .seh_save_regp
        STORE_PAIR x21, x22, 32, .seh_save_regp
        STORE_PAIR x23, x24, 48, .seh_save_regp
        STORE_PAIR x25, x26, 64, .seh_save_regp
        STORE_PAIR x27, x28, 80, .seh_save_regp
        STORE_PAIR d8, d9, 96, .seh_save_fregp
        STORE_PAIR d10, d11, 112, .seh_save_fregp
        STORE_PAIR d12, d13, 128, .seh_save_fregp
        STORE_PAIR d14, d15, 144, .seh_save_fregp
#if UNWINDS_BY_SEH
        .seh_endprologue
#endif
        mov     x29, sp
        mrs     x21, fpcr
        mrs     x22, fpsr
        stp     x21, x22, [sp, #160]

        mov     x19, x0
        mov     x20, x1
        mov     x2, sp
        bl      SYMBOL(stack_save)
        cbz     x0, LABEL(failed)
        ldr     x8, [x20]
        /* The target's frame record may not be on the stack yet. */
        mov     x29, #0
        mov     sp, x8
        mov     x0, x19
        mov     x1, x20
        bl      SYMBOL(stack_restore)
        cbz     x0, LABEL(start)

        mov     x9, x0
        mov     x1, x20
LABEL(return):
        /* Control bits differ only if a program sets them, status bits only if it
           computes, and comparing is cheaper than loading: x21 and x22 still have
           the words that are in force. */
        mov     x0, x19
        ldp     x10, x11, [x9, #160]
        cmp     x10, x21
        ccmp    x11, x22, #0, eq
        b.ne    LABEL(control)
LABEL(pop):
#if !UNWINDS_BY_SEH
        .cfi_remember_state
#endif
        ldr     x16, [x19]
#if UNWINDS_BY_SEH
        .seh_startepilogue
#endif
        LOAD_PAIR x29, x30, 0, .seh_save_fplr
        LOAD_PAIR x19, x20, 16, .seh_save_regp
        LOAD_PAIR x21, x22, 32, .seh_save_regp
        LOAD_PAIR x23, x24, 48, .seh_save_regp
        LOAD_PAIR x25, x26, 64, .seh_save_regp
        LOAD_PAIR x27, x28, 80, .seh_save_regp
        LOAD_PAIR d8, d9, 96, .seh_save_fregp
        LOAD_PAIR d10, d11, 112, .seh_save_fregp
        LOAD_PAIR d12, d13, 128, .seh_save_fregp
        LOAD_PAIR d14, d15, 144, .seh_save_fregp
        add     sp, sp, #STACK_FRAME_SIZE
#if UNWINDS_BY_SEH
        .seh_stackalloc STACK_FRAME_SIZE
#else
        .cfi_def_cfa_offset 0
#endif
        RESTORED x29, x30
        RESTORED x19, x20
        RESTORED x21, x22
        RESTORED x23, x24
        RESTORED x25, x26
        RESTORED x27, x28
        RESTORED d8, d9
        RESTORED d10, d11
        RESTORED d12, d13
        RESTORED d14, d15
#if SIGNS_RETURN
        hint    #RETURN_HINT
#  if UNWINDS_BY_SEH
        .seh_pac_sign_lr
#  else
        .cfi_negate_ra_state
#  endif
#endif
#if UNWINDS_BY_SEH
        .seh_endepilogue
#endif
        /* Through x16, as a landing pad for calls allows no other jumps. */
        br      x16

LABEL(control):
#if !UNWINDS_BY_SEH
        .cfi_restore_state
#endif
        msr     fpsr, x11
        cmp     x10, x21
        b.eq    LABEL(pop)
        msr     fpcr, x10
        b       LABEL(pop)

LABEL(failed):
        mov     x9, sp
        mov     x1, #0
        b       LABEL(return)

        /* The outermost frame of a new coroutine: unwinders end here, those that
           follow frame pointers because x29 is zero.  On Windows they end at a
           return address of zero, in a function of its own, since the frame of
           stack_switch is not there.  They take that for a function without a
           frame, whose return address is in x30: zero again, so that it returns to
           itself. */
#if UNWINDS_BY_SEH
        .seh_endproc
        .p2align 2
        .def    stack_switch_start
        .scl    3
        .type   32
        .endef
stack_switch_start:
        .seh_proc stack_switch_start
        .seh_handler stack_unhandled, @except
LABEL(start):
        stp     x29, xzr, [sp, #-16]!
        .seh_save_fplr_x 16
        .seh_endprologue
#else
LABEL(start):
        .cfi_undefined x30
#endif
        mov     x0, x19
        ldr     x8, [x19, #8]
        blr     x8
        brk     #1
#if UNWINDS_BY_SEH
        /* A word for the handler, which has no use for it: programs that print
           unwind codes expect one. */
        .seh_handlerdata
        .long   0
        .text
        .seh_endproc
#else
        .cfi_endproc
#endif
        FUNCTION_END stack_switch

        /* `chkfeat` clears the bits of the features that are in force; it does
           nothing on a processor that does not know it. */
        FUNCTION_BEGIN stack_is_guarded
#if !UNWINDS_BY_SEH
        .cfi_startproc
#endif
        hint    #34
        mov     x16, #1
        hint    #40
        eor     w0, w16, #1
        ret
#if !UNWINDS_BY_SEH
        .cfi_endproc
#endif
        FUNCTION_END stack_is_guarded

        /* A library counts as having landing pads, or signed return addresses, only
           if all its parts say so; this file says what the compiler says of C
           code. */
#if defined(__ELF__) && (defined(__ARM_FEATURE_BTI_DEFAULT) || SIGNS_RETURN)
#  if defined(__ARM_FEATURE_BTI_DEFAULT)
#    define PROPERTIES (1 | 2 * SIGNS_RETURN)
#  else
#    define PROPERTIES 2
#  endif
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4           /* of the name */
        .long   16          /* of the description */
        .long   5           /* NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000000  /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
        .long   4
        .long   PROPERTIES
        .long   0
#endif
