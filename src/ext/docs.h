/* The docstrings of everything Python code can call or read.
 *
 * A callable's text begins with its signature and a line of two dashes: the
 * interpreter cuts that off for `__text_signature__`, which is what
 * `inspect.signature` and `help` show.  A default of `...` there stands for
 * "not given", since only literals are allowed.
 */

#ifndef GREENLET_EXT_DOCS_H
#define GREENLET_EXT_DOCS_H

#define DOC_MODULE                                                             \
    "The compiled half of the greenlet package: import `greenlet` instead."

#define DOC_GREENLET                                                           \
    "greenlet(run=None, parent=None)\n"                                        \
    "--\n"                                                                     \
    "\n"                                                                       \
    "A coroutine that can switch away from any depth of calls.\n"              \
    "\n"                                                                       \
    "Creating one runs nothing; its first switch() calls run.\n"               \
    "\n"                                                                       \
    "  run     what to call, with the arguments of the first switch().\n"      \
    "          Without it, a subclass must define a run method, or the\n"      \
    "          run attribute must be set before the first switch.\n"           \
    "  parent  the greenlet that continues when this one ends: it receives\n"  \
    "          the value that run returned, or the exception that left it.\n"  \
    "          None means the greenlet that is running now.\n"                 \
    "\n"                                                                       \
    "Raises TypeError if parent is neither None nor a greenlet.\n"             \
    "\n"                                                                       \
    "    >>> import greenlet\n"                                                \
    "    >>> def child(first):\n"                                              \
    "    ...     second = main.switch(first * 2)\n"                            \
    "    ...     return first + second\n"                                      \
    "    >>> main = greenlet.getcurrent()\n"                                   \
    "    >>> g = greenlet.greenlet(child)\n"                                   \
    "    >>> g.switch(10)\n"                                                   \
    "    20\n"                                                                 \
    "    >>> g.switch(5)\n"                                                    \
    "    15\n"                                                                 \
    "    >>> g.dead\n"                                                         \
    "    True\n"

#define DOC_SWITCH                                                             \
    "switch($self, /, *args, **kwargs)\n"                                      \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Run this greenlet until it, or one it switches to, switches back.\n"      \
    "\n"                                                                       \
    "The first switch calls run(*args, **kwargs).  A later one makes the\n"    \
    "switch() in which this greenlet waits return what is passed here:\n"      \
    "() for nothing, the object itself for one positional argument, a\n"       \
    "tuple for several, a dict for keyword arguments alone, and the pair\n"    \
    "(args, kwargs) for both kinds together.\n"                                \
    "\n"                                                                       \
    "The call returns, by the same rules, what is handed over when somebody\n" \
    "switches back to the calling greenlet; when a child of the calling\n"     \
    "greenlet ends, that is what the child's run returned.  Switching to a\n"  \
    "dead greenlet reaches its nearest living parent instead, and switching\n" \
    "to the running greenlet returns the arguments at once.\n"                 \
    "\n"                                                                       \
    "Raises greenlet.error if this greenlet belongs to another thread or\n"    \
    "to one that has ended, AttributeError if it has no run to start with,\n"  \
    "MemoryError if the stack of the caller cannot be saved, and whatever\n"   \
    "exception is thrown into the caller or leaves one of its children.\n"     \
    "\n"                                                                       \
    "    >>> greenlet.greenlet(divmod).switch(7, 2)\n"                         \
    "    (3, 1)\n"

#define DOC_THROW                                                               \
    "throw($self, typ=..., val=None, tb=None, /)\n"                             \
    "--\n"                                                                      \
    "\n"                                                                        \
    "Switch to this greenlet and raise an exception in it.\n"                   \
    "\n"                                                                        \
    "  typ  an exception class or instance; GreenletExit if not given.\n"       \
    "  val  for a class: its argument, a tuple of arguments, an instance\n"     \
    "       or None.  Must be None when typ is an instance.\n"                  \
    "  tb   the traceback to start from, or None.\n"                            \
    "\n"                                                                        \
    "The exception appears at the switch() in which this greenlet waits.\n"     \
    "A greenlet that never ran ends at once, without calling run.  From a\n"    \
    "greenlet that has ended, the exception goes to its nearest living\n"       \
    "parent.  GreenletExit is special: a greenlet that it leaves has ended\n"   \
    "normally, and the parent receives the exception object as a value.\n"      \
    "\n"                                                                        \
    "Returns what a switch() by the caller would return.  Raises TypeError\n"   \
    "for a bad combination of arguments (nothing is switched then), and\n"      \
    "greenlet.error for a greenlet of another thread.\n"                        \
    "\n"                                                                        \
    "    >>> g.throw()                      # end it, run its finally blocks\n" \
    "    GreenletExit()\n"                                                      \
    "    >>> g.throw(ValueError, 'no')\n"                                       \
    "    Traceback (most recent call last):\n"                                  \
    "      ...\n"                                                               \
    "    ValueError: no\n"

#define DOC_GETSTATE                                                           \
    "__getstate__($self, /)\n"                                                 \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Refuse to copy or pickle: always raises TypeError.\n"                     \
    "\n"                                                                       \
    "A running C stack cannot be written down.\n"                              \
    "\n"                                                                       \
    "    >>> copy.copy(greenlet.greenlet())\n"                                 \
    "    Traceback (most recent call last):\n"                                 \
    "      ...\n"                                                              \
    "    TypeError: cannot serialize 'greenlet.greenlet' object\n"

#define DOC_RUN                                                                \
    "The callable that the first switch() will call.\n"                        \
    "\n"                                                                       \
    "Can be set and deleted until then.  From the start on the attribute of\n" \
    "the greenlet itself is gone: reading it raises AttributeError (unless\n"  \
    "the class defines run), and so does setting or deleting it.\n"            \
    "\n"                                                                       \
    "    >>> g = greenlet.greenlet()\n"                                        \
    "    >>> g.run = lambda: 'done'\n"                                         \
    "    >>> g.switch()\n"                                                     \
    "    'done'\n"

#define DOC_PARENT                                                             \
    "The greenlet that continues when this one ends.\n"                        \
    "\n"                                                                       \
    "None for the main greenlet of a thread, which has no parent.  Can be\n"   \
    "set to another greenlet of the same thread.  Setting raises TypeError\n"  \
    "for anything but a greenlet, and ValueError if it would make a cycle\n"   \
    "or if the two have started in different threads.  The parent of a main\n" \
    "greenlet cannot be set, and no parent can be deleted (AttributeError).\n" \
    "\n"                                                                       \
    "    >>> greenlet.greenlet(print).parent is greenlet.getcurrent()\n"       \
    "    True\n"

#define DOC_DEAD                                                               \
    "True once this greenlet has ended, by returning or by an exception.\n"    \
    "\n"                                                                       \
    "False for one that has not started; bool(greenlet) is True only\n"        \
    "between start and end.  Read-only.\n"                                     \
    "\n"                                                                       \
    "    >>> g = greenlet.greenlet(print)\n"                                   \
    "    >>> g.dead, bool(g)\n"                                                \
    "    (False, False)\n"

#define DOC_GR_FRAME                                                           \
    "The innermost Python frame of a suspended greenlet, for tracebacks.\n"    \
    "\n"                                                                       \
    "None while the greenlet runs, before it starts and after it ends.\n"      \
    "Read-only.\n"                                                             \
    "\n"                                                                       \
    "    >>> traceback.print_stack(g.gr_frame)      # where does g wait?\n"

#define DOC_GR_CONTEXT                                                          \
    "The contextvars.Context that this greenlet runs in, or None.\n"            \
    "\n"                                                                        \
    "None means an empty context, made when it is first needed.  Each\n"        \
    "greenlet starts with None, unlike a task of asyncio.  Can be set at any\n" \
    "time, also while the greenlet runs.  Raises TypeError for anything but\n"  \
    "a Context or None, AttributeError when deleted, and ValueError, for\n"     \
    "reading too, while the greenlet is running in another thread.\n"           \
    "\n"                                                                        \
    "    >>> g = greenlet.greenlet(worker)\n"                                   \
    "    >>> g.gr_context = contextvars.copy_context()   # inherit\n"

#define DOC_STACK_SAVED                                                          \
    "How many bytes of this greenlet's C stack are kept safe for it now.\n"      \
    "\n"                                                                         \
    "Those that are copied to the heap, or at least the registers that every\n"  \
    "switch saves.  0 while it runs, before it starts and after it ends.  For\n" \
    "debugging.  Read-only.\n"                                                   \
    "\n"                                                                         \
    "    >>> sum(each._stack_saved for each in parked) // len(parked)\n"         \
    "    704\n"

#define DOC_GETCURRENT                                                         \
    "getcurrent($module, /)\n"                                                 \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return the greenlet that is running, that is, the one that asks.\n"       \
    "\n"                                                                       \
    "Code that nobody put into a greenlet runs in the main greenlet of its\n"  \
    "thread, which is made when first needed.\n"                               \
    "\n"                                                                       \
    "    >>> greenlet.getcurrent().parent is None        # the main one?\n"    \
    "    True\n"

#define DOC_SETTRACE                                                           \
    "settrace($module, callback, /)\n"                                         \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Have callback called after every switch in this thread.\n"                \
    "\n"                                                                       \
    "  callback  a callable, or None to stop.  It gets two arguments: the\n"   \
    "            event, 'switch' or 'throw', and the pair (origin, target)\n"  \
    "            of greenlets.  It runs in the target.  Should it raise,\n"    \
    "            tracing stops and the exception appears in the target.\n"     \
    "\n"                                                                       \
    "Returns the callback that was set before, or None.  Each thread has\n"    \
    "its own.\n"                                                               \
    "\n"                                                                       \
    "    >>> def log(event, args):\n"                                          \
    "    ...     origin, target = args\n"                                      \
    "    ...     print(event, origin, '->', target)\n"                         \
    "    >>> before = greenlet.settrace(log)\n"

#define DOC_STACK_POLICY                                                       \
    "stack_policy($module, mode=None, /, *, limit=None, size=None, "           \
    "idle=None)\n"                                                             \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Tell, and set if arguments are given, which greenlets get a stack of\n"   \
    "their own.  What is changed counts for greenlets that start later.\n"     \
    "\n"                                                                       \
    "  mode   'automatic': the first few of a thread, and those of a kind\n"   \
    "         that has been seen to park deep in C calls or Python\n"          \
    "         functions; 'shared': none, all run on the stack of their\n"      \
    "         thread, as some libraries insist on; 'own': all\n"               \
    "  limit  an int: how many stacks there may be in the process; when\n"     \
    "         there are no more, greenlets start on the shared stack\n"        \
    "  size   an int: bytes of each; 0 for as large as the thread's own\n"     \
    "  idle   a float: seconds after which a greenlet that stays parked\n"     \
    "         leaves its stack, if the mode is 'automatic' and there are\n"    \
    "         more than a few: its bytes are in the heap until it is\n"        \
    "         resumed; 0 for never\n"                                          \
    "\n"                                                                       \
    "Returns the policy as it was before, a named tuple.  A mode, limit,\n"    \
    "size or time that makes no sense is a ValueError.  The variable\n"        \
    "GREENLET_STACK_POLICY sets the mode at the start.\n"                      \
    "\n"                                                                       \
    "    >>> before = greenlet.stack_policy('shared')\n"                       \
    "    >>> greenlet.stack_policy().mode\n"                                   \
    "    'shared'\n"                                                           \
    "    >>> before = greenlet.stack_policy(before.mode)\n"

#define DOC_STACK_POLICY_TYPE "What stack_policy() returns.\n"

#define DOC_GETTRACE                                                           \
    "gettrace($module, /)\n"                                                   \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return this thread's trace callback (see settrace), or None.\n"           \
    "\n"                                                                       \
    "    >>> greenlet.gettrace() is None\n"                                    \
    "    True\n"

#define DOC_ENABLE_OPTIONAL_CLEANUP                                            \
    "enable_optional_cleanup($module, enabled, /)\n"                           \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Kept for existing callers: remembers a bool and changes nothing else.\n"  \
    "\n"                                                                       \
    "Greenlets that a thread leaves behind are always cleaned up when it\n"    \
    "ends; there is no costly search that could be switched off.  enabled\n"   \
    "(any object, taken as true or false) only decides whether\n"              \
    "get_clocks_used_doing_optional_cleanup() returns a number.\n"             \
    "\n"                                                                       \
    "    >>> greenlet.enable_optional_cleanup(False)\n"

#define DOC_GET_CLOCKS_USED_DOING_OPTIONAL_CLEANUP                             \
    "get_clocks_used_doing_optional_cleanup($module, /)\n"                     \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return 0, or None after enable_optional_cleanup(False).\n"                \
    "\n"                                                                       \
    "Kept for existing callers.  The unit is the clock tick, of which a\n"     \
    "second has CLOCKS_PER_SEC; no time is ever spent on this work.\n"         \
    "\n"                                                                       \
    "    >>> greenlet.get_clocks_used_doing_optional_cleanup()\n"              \
    "    0\n"

#define DOC_ERROR                                                              \
    "A greenlet was used in a way that is not possible: by another thread\n"   \
    "than its own, or after its thread has ended."

#define DOC_GREENLET_EXIT                                                      \
    "Ends a greenlet without being an error: its parent receives the\n"        \
    "exception object as a value.\n"                                           \
    "\n"                                                                       \
    "Thrown into a parked greenlet when the last reference to it goes, and\n"  \
    "by throw() without arguments.  Not a subclass of Exception."

/* The published package's tests use these. */

#define DOC_GET_PENDING_CLEANUP_COUNT                                          \
    "get_pending_cleanup_count($module, /)\n"                                  \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return how many unreachable greenlets wait for their thread to end\n"     \
    "them.\n"

#define DOC_GET_TOTAL_MAIN_GREENLETS                                           \
    "get_total_main_greenlets($module, /)\n"                                   \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return how many living threads have used greenlets.\n"

#define DOC_SET_THREAD_LOCAL                                                   \
    "set_thread_local($module, key, value, /)\n"                               \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Put a value into the dict of the thread's state, until it ends.\n"

/* greenlet.debug uses these. */

#define DOC_STARTED                                                            \
    "_started($module, /)\n"                                                   \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return a list of the greenlets of all threads of this interpreter that\n" \
    "have started and not ended, main greenlets included, in no order.\n"

#define DOC_DESCRIBE                                                           \
    "_describe($module, greenlet, /)\n"                                        \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return what greenlet is at this moment: (state, thread, run, frame).\n"   \
    "\n"                                                                       \
    "state is 'unstarted', 'running', 'parked' or 'dead'; thread the ident\n"  \
    "of the thread that it belongs to, None if that has ended; run what it\n"  \
    "is to call or has called, None if that is not known any more, not yet\n"  \
    "or only to its class; frame its innermost frame or None.\n"

#define DOC_RUN_OF                                                             \
    "_run($module, greenlet, /)\n"                                             \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return the run of _describe() alone.\n"

#define DOC_IS_DEAD                                                            \
    "_is_dead($module, greenlet, /)\n"                                         \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return the attribute dead, whatever a subclass calls so.\n"

#define DOC_STACK_OF                                                           \
    "_stack_of($module, greenlet, /)\n"                                        \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return where the C stack of greenlet is: 'shared', 'own' or 'vacated';\n" \
    "None if it has none.\n"

#define DOC_ADD_HOOK                                                           \
    "_add_hook($module, callback, events, names, /)\n"                         \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Have callback(name, origin, target) called for events, a mask of the C\n" \
    "API's bits; names has a name for each combination of bits.  Returns\n"    \
    "the number of the hook.\n"

#define DOC_REMOVE_HOOK                                                        \
    "_remove_hook($module, number, /)\n"                                       \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Remove a switch hook; ValueError if there is none of this number.\n"

#define DOC_SERIAL_OF                                                          \
    "_serial_of($module, greenlet, /)\n"                                       \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return the number of greenlet, which no other one ever has.\n"

#define DOC_EXCHANGE_TRACE                                                     \
    "_exchange_trace($module, greenlet, callback, expected=any, /)\n"          \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Set the trace function of the thread of greenlet, as settrace() does\n"   \
    "for the calling thread; if expected is given, only if it is set now.\n"   \
    "\n"                                                                       \
    "Returns the trace function before, or None.  A thread that has ended\n"   \
    "has none.\n"

#define DOC_EXCHANGE_TRACE_OF_NEW_THREADS                                      \
    "_exchange_trace_of_new_threads($module, callback, /)\n"                   \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Set the trace function that threads begin with when they first use\n"     \
    "greenlets; None for none.  Returns what was set before, or None.\n"

#define DOC_GET_TSTATE_TRASH_DELETE_NESTING                                    \
    "get_tstate_trash_delete_nesting($module, /)\n"                            \
    "--\n"                                                                     \
    "\n"                                                                       \
    "Return how deep the thread is in nested deallocations.\n"

#endif
