/* Windows on x86: which modules do not let a switch's functions return where a shadow stack is
   in force.  None is here, and no module that is linked with /CETCOMPAT: so this is an image
   made by hand, of no more than what is read. */

#include <stddef.h>
#include <string.h>
#include <windows.h>

#include "core/arch/shadow_stack_windows.h"
#include "harness.h"

#define TYPE_CODEVIEW 2
#define TYPE_EX_DLLCHARACTERISTICS 20

struct image {
    IMAGE_DOS_HEADER dos;
    IMAGE_NT_HEADERS headers;
    IMAGE_DEBUG_DIRECTORY entries[2];
    DWORD characteristics;
};

static struct image
image_with(DWORD type, DWORD characteristics)
{
    struct image image;
    memset(&image, 0, sizeof image);
    image.dos.e_lfanew = offsetof(struct image, headers);
    IMAGE_DATA_DIRECTORY *directory
        = &image.headers.OptionalHeader
               .DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
    directory->VirtualAddress = offsetof(struct image, entries);
    directory->Size = sizeof image.entries;
    image.entries[0].Type = TYPE_CODEVIEW;
    image.entries[1].Type = type;
    image.entries[1].SizeOfData = sizeof image.characteristics;
    image.entries[1].AddressOfRawData = offsetof(struct image, characteristics);
    image.characteristics = characteristics;
    return image;
}

static void
test_modules(void)
{
    struct image image = image_with(TYPE_EX_DLLCHARACTERISTICS, 0x41);
    CHECK(module_is_cetcompat(&image));
    image = image_with(TYPE_EX_DLLCHARACTERISTICS, 0x40);
    CHECK(!module_is_cetcompat(&image));
    image = image_with(TYPE_CODEVIEW, 0x41);
    CHECK(!module_is_cetcompat(&image));
    CHECK(!module_is_cetcompat(GetModuleHandleW(NULL)));
}

/* What a policy means is read only where there is a shadow stack, so here it only has to come
   to an end. */
static void
test_policy(void)
{
    CHECK(!stack_is_guarded());
    (void)shadow_stack_binds();
}

int
main(void)
{
    test_modules();
    test_policy();
    return 0;
}
