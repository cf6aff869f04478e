"""Binds the parameters of a function."""

import ast

from audit_async.inference.classes import instance
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import SYNC_KINDS
from audit_async.inference.values import Class, Function, Value
from audit_async.source.syntax import last_name


def bind_parameters(reader: Reader, function: Function) -> None:
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: dict[ast.arg, ast.expr | None] = dict(
        zip(reversed(positional), reversed(arguments.defaults), strict=False)
    )
    defaults |= dict(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    for parameter in [*positional, *arguments.kwonlyargs]:
        value = parameter_value(reader, parameter, defaults.get(parameter))
        if positional[:1] == [parameter] and function.owner:
            value = bound_argument(reader, function, function.owner, value)
        reader.scope.names[parameter.arg] = value
        if value and value.kind in SYNC_KINDS:
            reader.session_origins[parameter.arg] = parameter
    for variadic in (arguments.vararg, arguments.kwarg):
        if variadic:
            reader.scope.names[variadic.arg] = None


def parameter_value(reader: Reader, parameter: ast.arg, default: ast.expr | None) -> Value | None:
    annotated = reader.annotated(parameter.annotation)
    if not (isinstance(default, ast.Call) and last_name(default.func) in ("Depends", "Security")):
        return annotated
    provided = reader.evaluate(default)
    # What `Depends(factory())` provides is less certain than the annotation.
    is_named = default.args and isinstance(default.args[0], ast.Name | ast.Attribute)
    return provided or annotated if is_named else annotated or provided


def bound_argument(
    reader: Reader, function: Function, owner: Class, value: Value | None
) -> Value | None:
    """`self` or `cls`, unless the method is static."""
    cls = Value("class", definition=owner)
    if "staticmethod" in function.decorators:
        return value
    return cls if "classmethod" in function.decorators else instance(reader.base, cls)
