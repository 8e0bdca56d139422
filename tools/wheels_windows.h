/* What tools/wheels.py puts behind Windows' pyconfig.h.
 *
 * On arm64 CPython's headers for builds without a GIL ask for the register that points to the
 * thread's block with a function that only Microsoft's compilers have.  Older headers include
 * pyconfig.h twice.
 */
#if defined(__MINGW32__) && defined(__aarch64__) && !defined(GREENLET_WHEELS_WINDOWS_H)
#define GREENLET_WHEELS_WINDOWS_H
static inline unsigned long long
__getReg(int number)
{
    unsigned long long value;
    (void)number; /* 18 */
    __asm__("mov %0, x18" : "=r"(value));
    return value;
}
#endif
