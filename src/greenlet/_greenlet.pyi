"""The types of the compiled half.  The docstrings are in C: see src/ext/docs.h."""

import sys
from collections.abc import Callable
from contextvars import Context
from types import FrameType, TracebackType
from typing import (
    Any,
    ClassVar,
    Final,
    Literal,
    NoReturn,
    SupportsIndex,
    TypeAlias,
    final,
    overload,
)

from _typeshed import structseq
from typing_extensions import disjoint_base

_TraceEvent: TypeAlias = Literal["switch", "throw"]
# Called with the event and the pair (origin, target).
_TraceCallback: TypeAlias = Callable[[_TraceEvent, tuple[greenlet, greenlet]], object]

__version__: Final[str]

CLOCKS_PER_SEC: Final[int]
GREENLET_USE_CONTEXT_VARS: Final[int]
GREENLET_USE_GC: Final[int]
GREENLET_USE_STANDARD_THREADING: Final[int]
GREENLET_USE_TRACING: Final[int]

# A capsule, for C extensions: see greenlet.h.
_C_API: Final[object]
_C_API_2: Final[object]

_StackMode: TypeAlias = Literal["automatic", "shared", "own"]

@final
class StackPolicy(structseq[Any], tuple[_StackMode, int, int, int, float, int]):
    __match_args__: Final = ("mode", "limit", "size", "mapped", "idle", "vacated")
    @property
    def mode(self) -> _StackMode: ...
    @property
    def limit(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def mapped(self) -> int: ...
    @property
    def idle(self) -> float: ...
    @property
    def vacated(self) -> int: ...

class GreenletExit(BaseException): ...
class error(Exception): ...

# Inside the class, the names `GreenletExit` and `error` are its attributes.
_GreenletExit: TypeAlias = GreenletExit
_error: TypeAlias = error

@disjoint_base
class greenlet:
    GreenletExit: ClassVar[type[_GreenletExit]]
    error: ClassVar[type[_error]]

    # A plain attribute rather than a property: subclasses may define a method.
    run: Callable[..., Any]

    def __init__(
        self, run: Callable[..., Any] | None = None, parent: greenlet | None = None
    ) -> None: ...
    def __bool__(self) -> bool: ...
    def __getstate__(self) -> NoReturn: ...
    def switch(self, *args: Any, **kwargs: Any) -> Any: ...
    @overload
    def throw(
        self,
        typ: type[BaseException] = ...,
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Any: ...
    @overload
    def throw(
        self, typ: BaseException, val: None = None, tb: TracebackType | None = None, /
    ) -> Any: ...
    @property
    def parent(self) -> greenlet | None: ...
    # None is for main greenlets to have, and for nobody to set.
    @parent.setter
    def parent(self, value: greenlet) -> None: ...
    @property
    def dead(self) -> bool: ...
    @property
    def gr_frame(self) -> FrameType | None: ...
    @property
    def gr_context(self) -> Context | None: ...
    @gr_context.setter
    def gr_context(self, value: Context | None) -> None: ...
    @property
    def _stack_saved(self) -> int: ...
    @staticmethod
    def getcurrent() -> greenlet: ...
    @staticmethod
    def settrace(callback: _TraceCallback | None, /) -> _TraceCallback | None: ...
    @staticmethod
    def gettrace() -> _TraceCallback | None: ...

def getcurrent() -> greenlet: ...
def settrace(callback: _TraceCallback | None, /) -> _TraceCallback | None: ...
def gettrace() -> _TraceCallback | None: ...
def stack_policy(
    mode: _StackMode | None = None,
    /,
    *,
    limit: SupportsIndex | None = None,
    size: SupportsIndex | None = None,
    idle: float | None = None,
) -> StackPolicy: ...
def enable_optional_cleanup(enabled: object, /) -> None: ...
def get_clocks_used_doing_optional_cleanup() -> int | None: ...

# For the test suite of the published package.
def get_pending_cleanup_count() -> int: ...
def get_total_main_greenlets() -> int: ...
def set_thread_local(key: object, value: object, /) -> None: ...

if sys.version_info < (3, 13):
    def get_tstate_trash_delete_nesting() -> int: ...

# For greenlet.debug.
def _started() -> list[greenlet]: ...
def _describe(
    greenlet: greenlet, /
) -> tuple[
    Literal["unstarted", "running", "parked", "dead"],
    int | None,
    Callable[..., Any] | None,
    FrameType | None,
]: ...
def _run(greenlet: greenlet, /) -> Callable[..., Any] | None: ...
def _is_dead(greenlet: greenlet, /) -> bool: ...
def _stack_of(greenlet: greenlet, /) -> Literal["shared", "own", "vacated"] | None: ...
def _serial_of(greenlet: greenlet, /) -> int: ...
def _add_hook(
    callback: Callable[[Any, greenlet, greenlet], object],
    events: int,
    names: tuple[object, ...],
    /,
) -> int: ...
def _remove_hook(number: int, /) -> None: ...
def _exchange_trace(
    greenlet: greenlet,
    callback: _TraceCallback | None,
    expected: _TraceCallback | None = ...,
    /,
) -> _TraceCallback | None: ...
def _exchange_trace_of_new_threads(callback: _TraceCallback | None, /) -> _TraceCallback | None: ...
