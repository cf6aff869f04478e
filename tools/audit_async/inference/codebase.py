"""The audited modules, and a memo of what was inferred about them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from audit_async.findings import ModuleFindings
from audit_async.inference.values import Class, Function
from audit_async.source.modules import Module

if TYPE_CHECKING:
    from audit_async.inference.reader import Reader

P = ParamSpec("P")
T = TypeVar("T")


class CodeBase:
    def __init__(self, modules: Sequence[Module], reader: "type[Reader]") -> None:
        self.modules = modules
        self.memo: dict[tuple[object, ...], Any] = {}
        self.modules_by_name: dict[str, list[Module]] = defaultdict(list)
        self.packages = {m.parts for m in modules if m.path.name == "__init__.py"}
        self.classes: dict[str, list[Class]] = defaultdict(list)
        self._reader = reader
        for module in modules:
            self.modules_by_name[module.parts[-1] if module.parts else ""].append(module)
            for node in module.classes:
                self.classes[node.name].append(Class(node, module))

    def reader(
        self,
        module: Module,
        function: Function | None = None,
        findings: ModuleFindings | None = None,
    ) -> "Reader":
        """A reader of the function or module body; without `findings`, it reports nothing."""
        return self._reader(self, module, function, findings)


def memoized(
    function: Callable[Concatenate[CodeBase, P], T],
) -> Callable[Concatenate[CodeBase, P], T | None]:
    """Infer each value once; None while it is being inferred, which ends recursion."""

    @wraps(function)
    def inferred(base: CodeBase, /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        key = (function, *args, *kwargs.values())
        if key not in base.memo:
            base.memo[key] = None
            base.memo[key] = function(base, *args, **kwargs)
        result: T | None = base.memo[key]
        return result

    return inferred
