"""Every name that we use of TensorRT is there: in 10.3, in 10.14, in 11.4, and in TensorRT-RTX."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from edgeval.engines.trt import api, library
from edgeval.errors import EngineError

ROOM = Path(api.__file__).parent
DUMPS = ("api-10.3.0.txt", "api-10.14.1.48.post1.txt", "api-11.4.0.106.txt")
# Of TensorRT-RTX alone: for which of the devices that are not there to build.
RTX_ONLY = {
    "ComputeCapability",
    "IBuilderConfig.num_compute_capabilities",
    "IBuilderConfig.set_compute_capability",
}
RTX_ONLY |= {
    "CudaGraphStrategy",
    "CudaGraphStrategy.WHOLE_GRAPH_CAPTURE",
    "IRuntimeConfig.cuda_graph_strategy",
}
# Used with libraries that have them, and only then.
LATER = {
    "ICudaEngine.create_runtime_config": "10.14",
    "IRuntimeConfig": "10.14",
    "IRuntimeConfig.set_execution_context_allocation_strategy": "10.14",
    "ICudaEngine.get_aliased_input_tensor": "10.15",
}
NOT_THEIRS = {"__version__", "IHostMemory.__buffer__"}


def declared(node: ast.ClassDef) -> set[str]:
    """Members of a class body: functions and annotated names."""
    names = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    return names | {
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }


def used() -> set[str]:
    """Class, and Class.member: what api.py declares and what the module is asked for."""
    names: set[str] = set()
    for path in sorted(ROOM.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and path.name == "api.py":
                names |= {node.name, *(f"{node.name}.{member}" for member in declared(node))}
            elif isinstance(node, ast.ClassDef) and node.name == "TensorRT":
                names |= declared(node)
            elif isinstance(node, ast.Attribute) and (chain := dotted(node)):
                names.add(chain)
    return names - NOT_THEIRS


def dotted(node: ast.Attribute) -> str:
    """X or X.Y of trt.X, self.trt.X.Y, library.trt.X; "" for any other."""
    parts: list[str] = []
    at: ast.expr = node
    while isinstance(at, ast.Attribute):
        if at.attr == "trt":
            break
        parts.append(at.attr)
        at = at.value
    rooted = (isinstance(at, ast.Name) and at.id == "trt") or isinstance(at, ast.Attribute)
    return ".".join(reversed(parts)) if rooted else ""


def there(dump: str) -> set[str]:
    """Classes and Class.member of a dump."""
    classes = set(re.findall(r"^class (\w+)", dump, re.M))
    return classes | set(re.findall(r"^  (\w+\.\w+)", dump, re.M))


def test_what_is_used_is_seen():
    """The test's eyes: a name of each kind that the code has."""
    assert {
        "Builder",
        "Builder.build_serialized_network",
        "BuilderFlag.TF32",
        "ILogger.INTERNAL_ERROR",
        "IExecutionContext.execute_async_v3",
        "ExecutionContextAllocationStrategy.USER_MANAGED",
    } <= used()


@pytest.mark.parametrize("name", DUMPS)
def test_every_name_is_in(shared, name):
    dump = (shared / "prototypes" / "tensorrt" / name).read_text("utf-8")
    version = library.numbers(name.removeprefix("api-"))
    later = {what for what, since in LATER.items() if version < library.numbers(since)}
    assert sorted(used() - there(dump) - RTX_ONLY - later) == []
    assert sorted(later & there(dump)) == []


def test_every_name_is_in_tensorrt_rtx():
    try:
        trt = library.load((library.RTX,)).trt
    except EngineError as error:
        pytest.skip(str(error))
    missing = []
    for name in sorted(used()):
        owner, _, member = name.partition(".")
        if not hasattr(trt, owner) or (member and not hasattr(getattr(trt, owner), member)):
            missing.append(name)
    assert missing == []
