/* Kinds of greenlets; see kinds.h. */

#include "kinds.h"

/* Room for all is worth its memory if at least one in so many needs it.  Since
   those that have room do not tell, one in so many is also let go without. */
#define SHARE 32

/* When as many have started, what was is half forgotten. */
#define MEMORY 4096

/* No stack is expected to be larger: there are chunks for so much. */
#define LARGEST ((size_t)UINT16_MAX)

static const void *
code_of(PyObject *run)
{
    while (PyMethod_Check(run)) {
        run = PyMethod_GET_FUNCTION(run);
    }
    return PyFunction_Check(run) ? (const void *)PyFunction_GET_CODE(run)
                                 : (const void *)Py_TYPE(run);
}

/* Its place in the table, where another may be. */
static struct kind *
place_of(struct kinds *kinds, const void *code)
{
    uintptr_t bits = (uintptr_t)code;
    return &kinds->table[(bits >> 4 ^ bits >> 10) % KINDS];
}

size_t
kinds_expect(struct kinds *kinds, PyObject *run)
{
    const void *code = code_of(run);
    struct kind *kind = place_of(kinds, code);
    if (kind->code != code) {
        return 0;
    }
    kind->starts++;
    if (kind->starts == MEMORY) {
        kind->starts /= 2;
        kind->outgrown /= 2;
    }
    return kind->outgrown * SHARE >= kind->starts ? kind->frames_size : 0;
}

void
kinds_learn(struct kinds *kinds, PyObject *run, size_t frames_size)
{
    const void *code = code_of(run);
    struct kind *kind = place_of(kinds, code);
    if (kind->code != code) {
        *kind = (struct kind){.code = code, .starts = 1};
    }
    if (kind->outgrown < kind->starts) {
        kind->outgrown++;
    }
    /* The largest of late. */
    uint32_t size = (uint32_t)(frames_size < LARGEST ? frames_size : LARGEST);
    kind->frames_size -= kind->frames_size / 8;
    if (kind->frames_size < size) {
        kind->frames_size = size;
    }
}
