/* Windows on x86: shadow stacks; see shadow_stack_windows.h. */

#if defined(_WIN32) && (defined(__x86_64__) || defined(__i386__))

/* Below that Windows has no such policies.  Python wants no less. */
#  if !defined(_WIN32_WINNT) || _WIN32_WINNT < 0x0602
#    undef _WIN32_WINNT
#    define _WIN32_WINNT 0x0602 /* NOLINT(bugprone-reserved-identifier) */
#  endif

#  include <windows.h>

#  include "shadow_stack_windows.h"

/* Of the debug directory, by "PE Format": headers may be too old to name them. */
#  define TYPE_EX_DLLCHARACTERISTICS 20
#  define EX_CET_COMPAT 1U

/* Callers between shadow_stack_binds and another module. */
#  define CALLERS 16

static const void *
module_at(const void *address)
{
    HMODULE module = NULL;
    DWORD how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS
                | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    return GetModuleHandleExW(how, address, &module) ? module : NULL;
}

/* The module that has called into this one; NULL if it is not found.  On i386 nobody can
   tell who called a function that keeps no frame pointer. */
static const void *
calling_module(void)
{
    static const char ours = 0;
    const void *our_module = module_at(&ours);
    void *callers[CALLERS];
    unsigned count = 0;
#  if defined(__x86_64__)
    count = CaptureStackBackTrace(0, CALLERS, callers, NULL);
#  endif
    for (unsigned i = 0; i < count; i++) {
        const void *module = module_at(callers[i]);
        if (module != our_module) {
            return module;
        }
    }
    return NULL;
}

bool
module_is_cetcompat(const void *module)
{
    const char *base = module;
    const IMAGE_DOS_HEADER *dos = module;
    const IMAGE_NT_HEADERS *headers
        = (const IMAGE_NT_HEADERS *)(base + dos->e_lfanew);
    const IMAGE_DATA_DIRECTORY *directory
        = &headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
    const IMAGE_DEBUG_DIRECTORY *entries
        = (const IMAGE_DEBUG_DIRECTORY *)(base + directory->VirtualAddress);
    size_t count = directory->Size / sizeof *entries;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].Type == TYPE_EX_DLLCHARACTERISTICS
            && entries[i].SizeOfData >= sizeof(DWORD))
        {
            const DWORD *words
                = (const DWORD *)(base + entries[i].AddressOfRawData);
            return (*words & EX_CET_COMPAT) != 0;
        }
    }
    return false;
}

bool
shadow_stack_binds(void)
{
    PROCESS_MITIGATION_USER_SHADOW_STACK_POLICY policy = {0};
    if (!GetProcessMitigationPolicy(GetCurrentProcess(),
                                    ProcessUserShadowStackPolicy, &policy,
                                    sizeof policy)
        || policy.EnableUserShadowStackStrictMode)
    {
        return true;
    }
    const void *module = calling_module();
    return module != NULL && module_is_cetcompat(module);
}

#else

typedef int no_shadow_stack; /* C wants every file to have something in it. */

#endif
