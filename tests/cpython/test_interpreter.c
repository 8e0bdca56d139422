/* The interpreter itself runs Python functions on a data stack of ours. */

#include "inside.h"

#include "core/checks.h"
#include "memory.h"
#include "tests.h"

/* What there was at the bottom of a recursion. */
static struct {
    _PyStackChunk *chunk;
    size_t needed;
    unsigned calls;
} seen;

static PyObject *
look(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    const PyThreadState *tstate = PyThreadState_Get();
    seen.chunk = tstate->datastack_chunk;
    seen.needed
        = datastack_needed(tstate->datastack_chunk, tstate->datastack_top);
    seen.calls++;
    return PyLong_FromLong(0);
}

static PyMethodDef look_method = {"look", look, METH_NOARGS, NULL};

/* A function of Python that calls itself so often, and then looks. */
static PyObject *
make_recursion(void)
{
    static const char source[]
        = "def recursion(depth):\n"
          "    return recursion(depth - 1) + 1 if depth else look()\n";
    PyObject *globals = PyDict_New();
    PyObject *method = PyCFunction_New(&look_method, NULL);
    CHECK(globals != NULL && method != NULL);
    CHECK_INT(PyDict_SetItemString(globals, "look", method), ==, 0);
    Py_DECREF(method);
    PyObject *result = PyRun_String(source, Py_file_input, globals, globals);
    CHECK(result != NULL);
    Py_DECREF(result);
    PyObject *recursion = PyDict_GetItemString(globals, "recursion");
    CHECK(recursion != NULL);
    Py_INCREF(recursion);
    return recursion;
}

/* Call it on that data stack, which is to be left as it was. */
static void
run_on(struct datastack *stack, PyObject *recursion, int depth)
{
    PyThreadState *tstate = PyThreadState_Get();
    struct datastack before = *stack;
    struct datastack outer;
    unsigned calls = seen.calls;
    datastack_save(&outer, tstate);
    inside_load(stack, tstate);
    PyObject *result = PyObject_CallFunction(recursion, "i", depth);
    datastack_save(stack, tstate);
    inside_load(&outer, tstate);
    CHECK(result != NULL);
    CHECK_INT(PyLong_AsLong(result), ==, depth);
    Py_DECREF(result);
    CHECK_INT(seen.calls, ==, calls + 1);
    CHECK_POINTER(stack->chunk, ==, before.chunk);
    CHECK_POINTER(stack->top, ==, before.top);
}

/* The interpreter takes chunks of its own when the root is full, and gives them back; the
   root it leaves. */
const char *
interpreter_never_frees_the_root(void)
{
    PyObject *recursion = make_recursion();
    memory_watch(false);
    struct chunk_store *store = store_make();
    struct chunk_pool pool;
    struct datastack stack;
    chunk_pool_init(&pool, store);
    CHECK_INT(datastack_new(&stack, &pool, 0), ==, 0);
    unsigned kept = 0;
    for (int depth = 0; depth < 800; depth += 1 + depth / 4) {
        run_on(&stack, recursion, depth);
        store_check(store);
        CHECK_INT(store_used(store), ==, 1);
        /* From some releases on a thread keeps one of its chunks. */
        kept = memory_blocks_of(ORDINARY_CHUNK_SIZE);
        CHECK_INT(kept, <=, 1);
    }
    CHECK_POINTER(seen.chunk, !=, stack.chunk);
    CHECK_INT(seen.needed, >, 2 * ORDINARY_CHUNK_SIZE);
    datastack_free(&stack, &pool);
    CHECK_INT(pool.count[0], ==, 1);
    chunk_pool_clear(&pool);
    CHECK_INT(store_used(store), ==, 0);
    CHECK_INT(memory_blocks_of(ORDINARY_CHUNK_SIZE), ==, kept);
    chunk_store_close(store);
    memory_unwatch();
    Py_DECREF(recursion);
    return NULL;
}

/* A root chunk of the size that was needed before is enough for the same frames. */
const char *
interpreter_finds_what_it_needed(void)
{
    PyObject *recursion = make_recursion();
    struct chunk_store *store = store_make();
    struct chunk_pool pool;
    size_t largest = chunk_class_size(CHUNK_CLASSES - 1);
    unsigned outgrown = 0;
    chunk_pool_init(&pool, store);
    for (int depth = 0;; depth++) {
        struct datastack stack;
        CHECK_INT(datastack_new(&stack, &pool, 0), ==, 0);
        run_on(&stack, recursion, depth);
        outgrown += seen.chunk != stack.chunk;
        CHECK_INT(seen.chunk == stack.chunk, ==, seen.needed <= CHUNK_SMALLEST);
        datastack_free(&stack, &pool);
        size_t needed = seen.needed;
        if (needed > largest) {
            break;
        }
        CHECK_INT(datastack_new(&stack, &pool, needed), ==, 0);
        run_on(&stack, recursion, depth);
        CHECK_POINTER(seen.chunk, ==, stack.chunk);
        CHECK_INT(seen.needed, <=, needed);
        datastack_free(&stack, &pool);
    }
    CHECK_INT(outgrown, >, 20);
    chunk_pool_clear(&pool);
    chunk_store_close(store);
    Py_DECREF(recursion);
    return NULL;
}
