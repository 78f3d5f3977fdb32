"""Run alone, prints as JSON what importing each edgeval module did to the process.

Not a test: tests/gate/test_imports.py starts it in a process of its own. Libraries are imported
before the audit hook is set, so that what is heard is ours; those a base install lacks are made
unimportable.
"""

import contextlib
import importlib
import json
import sys
from pathlib import Path

OURS_LAZILY = (
    "cuda",
    "duckdb",
    "onnx",
    "onnxruntime",
    "safetensors",
    "tensorrt",
    "torch",
    "transformers",
)
LIBRARIES = (
    *("numpy", "av", "jinja2.sandbox", "tokenizers", "click", "tomllib", "tomli", "PIL.Image"),
    *("rich.console", "rich.progress", "rich.table", "PIL.ImageDraw", "PIL.ImageFont", "logging"),
)
CODE = (".py", ".pyc", ".so")
LOUD = (
    *(
        "os.putenv",
        "os.unsetenv",
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
    ),
    *("os.mkdir", "os.remove", "os.rename", "os.chdir", "subprocess.Popen", "tempfile.mkstemp"),
    *("_thread.start_new_thread", "socket.__new__", "socket.connect", "urllib.Request"),
)


def prepare() -> None:
    """Import what is not ours beforehand; hide what only an extra brings."""
    sys.dont_write_bytecode = True
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in OURS_LAZILY:
        sys.modules[name] = None  # type: ignore[assignment]


def module_names() -> list[str]:
    """Every module of the package, by its file; __main__ runs the program, so not that."""
    import edgeval

    root = Path(edgeval.__file__).parent
    files = sorted(root.rglob("*.py"))
    names = [".".join(("edgeval", *f.relative_to(root).with_suffix("").parts)) for f in files]
    return [n.removesuffix(".__init__") for n in names if not n.endswith("__main__")]


class Ear:
    """An audit hook that writes down what a named module does."""

    def __init__(self) -> None:
        self.listening_to = ""
        self.events: dict[str, list[str]] = {}

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        """Keep the event if it is loud, or opens something that is no code."""
        if not self.listening_to:
            return
        if event == "open" and isinstance(args[0], str):
            if not args[0].endswith(CODE):
                self.events[self.listening_to].append(f"open {args[0]}")
        elif event in LOUD:
            self.events[self.listening_to].append(f"{event} {args[:1]}")


def main() -> None:
    """Import every module in turn; print {"events": {module: [...]}, "missing": {module: why}}."""
    prepare()
    names = module_names()
    missing: dict[str, str] = {}
    ear = Ear()
    sys.addaudithook(ear)
    for name in names:
        ear.events[name] = []
        ear.listening_to = name
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing[name] = str(error.name)
        ear.listening_to = ""
    json.dump({"events": ear.events, "missing": missing}, sys.stdout)


if __name__ == "__main__":
    main()
