"""The module's face: names, constants, documentation."""

import builtins
import inspect
import re

import greenlet as module
import pytest
from greenlet import GreenletExit, error, getcurrent, gettrace, greenlet, settrace

from support import ADDRESS, ours_only

NAMES = [
    "__version__",
    "_C_API",
    "GreenletExit",
    "error",
    "getcurrent",
    "greenlet",
    "gettrace",
    "settrace",
]


def test_all():
    assert sorted(module.__all__) == sorted(NAMES)


@pytest.mark.parametrize(
    "name",
    NAMES
    + [
        "CLOCKS_PER_SEC",
        "GREENLET_USE_CONTEXT_VARS",
        "GREENLET_USE_GC",
        "GREENLET_USE_TRACING",
        "_greenlet",
        "enable_optional_cleanup",
        "get_clocks_used_doing_optional_cleanup",
    ],
)
def test_names(name):
    assert hasattr(module, name)


def test_extension_module_has_the_same_objects():
    for name in NAMES[1:]:
        assert getattr(module._greenlet, name) is getattr(module, name)
    assert module._greenlet.__name__ == "greenlet._greenlet"


@ours_only("is 3.5.6")
def test_version():
    assert module.__version__ == "3.6.0"


def test_version_is_that_of_the_distribution():
    from importlib import metadata

    assert module.__version__ == metadata.version("greenlet")


def test_constants():
    assert module.GREENLET_USE_GC == 1
    assert module.GREENLET_USE_TRACING == 1
    assert module.GREENLET_USE_CONTEXT_VARS == 1
    assert type(module.CLOCKS_PER_SEC) is int
    assert module.CLOCKS_PER_SEC > 0


def test_optional_cleanup_is_kept_for_callers():
    assert module.enable_optional_cleanup(False) is None
    assert module.enable_optional_cleanup(True) is None
    assert module.get_clocks_used_doing_optional_cleanup() >= 0


def test_optional_cleanup_takes_one_argument():
    with pytest.raises(TypeError, match="exactly one argument"):
        module.enable_optional_cleanup()


def test_c_api_is_a_capsule_of_its_name():
    expected = f'<capsule object "greenlet._C_API" at {ADDRESS}>'
    assert re.fullmatch(expected, repr(module._C_API))


def test_class_attributes():
    assert greenlet.error is error
    assert greenlet.GreenletExit is GreenletExit
    assert greenlet.getcurrent is getcurrent
    assert greenlet.settrace is settrace
    assert greenlet.gettrace is gettrace


def test_class_attribute_functions_work_through_instances():
    assert greenlet().getcurrent() is getcurrent()
    assert greenlet().gettrace() is None


def test_class_names():
    assert (greenlet.__module__, greenlet.__qualname__) == ("greenlet", "greenlet")
    assert (error.__module__, error.__qualname__) == ("greenlet", "error")
    assert (GreenletExit.__module__, GreenletExit.__qualname__) == (
        "greenlet",
        "GreenletExit",
    )


def test_class_hierarchy():
    assert greenlet.__mro__ == (greenlet, object)
    assert error.__bases__ == (Exception,)
    assert GreenletExit.__bases__ == (BaseException,)


def test_class_contents():
    expected = {
        "__bool__",
        "__dict__",
        "__doc__",
        "__getstate__",
        "__init__",
        "__new__",
        "__repr__",
        "_stack_saved",
        "dead",
        "error",
        "getcurrent",
        "gettrace",
        "gr_context",
        "gr_frame",
        "GreenletExit",
        "parent",
        "run",
        "settrace",
        "switch",
        "throw",
    }
    assert expected <= set(vars(greenlet))


def test_class_is_not_generic():
    with pytest.raises(TypeError, match="not subscriptable"):
        greenlet[int]


@pytest.mark.parametrize("arguments, keywords", [((1,), {}), ((), {"a": 1})])
def test_getcurrent_takes_nothing(arguments, keywords):
    with pytest.raises(TypeError, match="takes no (keyword )?arguments"):
        getcurrent(*arguments, **keywords)


DOCUMENTED = {
    "greenlet": greenlet,
    "switch": greenlet.switch,
    "throw": greenlet.throw,
    "getcurrent": getcurrent,
    "settrace": settrace,
    "gettrace": gettrace,
}


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_callables_are_documented(name):
    assert len(inspect.getdoc(DOCUMENTED[name])) > 20


OPTIONAL = {
    "enable_optional_cleanup": module.enable_optional_cleanup,
    "get_clocks_used_doing_optional_cleanup": module.get_clocks_used_doing_optional_cleanup,
}


@ours_only("documents only part of them")
@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_optional_callables_are_documented(name):
    assert len(inspect.getdoc(OPTIONAL[name])) > 20


@ours_only("has no docstrings on attributes and exceptions")
@pytest.mark.parametrize(
    "documented",
    [
        greenlet.run,
        greenlet.parent,
        greenlet.dead,
        greenlet.gr_frame,
        greenlet.gr_context,
        error,
        GreenletExit,
        module._greenlet,
    ],
    ids=lambda documented: documented.__name__,
)
def test_attributes_and_exceptions_are_documented(documented):
    assert len(inspect.getdoc(documented)) > 10
    assert inspect.getdoc(documented) not in (Exception.__doc__, BaseException.__doc__)


SIGNATURES = {
    "greenlet": "(run=None, parent=None)",
    "switch": "(self, /, *args, **kwargs)",
    "getcurrent": "()",
    "gettrace": "()",
}


@ours_only("has hardly any signatures")
@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_signatures(name):
    assert str(inspect.signature(DOCUMENTED[name])) == SIGNATURES[name]


@ours_only("has hardly any signatures")
def test_signature_of_throw():
    parameters = inspect.signature(greenlet.throw).parameters
    assert list(parameters)[0] == "self"
    assert len(parameters) == 4
    assert all(one.kind is one.POSITIONAL_ONLY for one in parameters.values())
    assert all(one.default is not one.empty for one in list(parameters.values())[1:])


@ours_only("has hardly any signatures")
def test_signature_of_settrace():
    (parameter,) = inspect.signature(settrace).parameters.values()
    assert parameter.kind is parameter.POSITIONAL_ONLY


@ours_only("has hardly any signatures")
@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_optional_callables_have_signatures(name):
    assert inspect.signature(OPTIONAL[name])


@ours_only("has hardly any signatures")
def test_every_public_callable_has_a_signature_and_a_docstring():
    lacking = []
    for owner in (module, module._greenlet, greenlet):
        for name, value in vars(owner).items():
            exported = not name.startswith("_")
            if exported and callable(value) and not isinstance(value, type):
                try:
                    inspect.signature(value)
                except ValueError:
                    lacking.append((owner, name, "signature"))
                if not inspect.getdoc(value):
                    lacking.append((owner, name, "docstring"))
    assert lacking == []


def test_reimport_gives_the_same_objects():
    import importlib

    again = importlib.import_module("greenlet")
    assert again is module
    assert importlib.import_module("greenlet._greenlet") is module._greenlet


def test_no_name_hides_a_builtin():
    public = {name for name in vars(module) if not name.startswith("__")}
    assert not public & set(vars(builtins))


def test_header_lies_beside_the_package():
    import pathlib

    assert (pathlib.Path(module.__path__[0]) / "greenlet.h").is_file()


@ours_only("ships no type information")
def test_type_information_lies_beside_the_package():
    import pathlib

    package = pathlib.Path(module.__path__[0])
    assert (package / "py.typed").is_file()
    assert list(package.glob("*.pyi"))
