"""A process that does each job in a fork of itself, with little memory and little time.

Started with the modules to import as arguments, so that a fork finds them there. A job is a line of
JSON on stdin: {"argv": [...], "cwd": "..."} is a command of edgeval, {"template": "..."} a chat
template to render; "bytes" and "seconds" give it more. Each is answered with a line of JSON: exit
code (negative: the signal that ended it), what it wrote, by how many bytes its memory grew, seconds
of processor time.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, Any

from edgeval.chat.template import Template
from edgeval.cli import main, run
from edgeval.errors import ManifestError
from edgeval.export.checkpoint import without_broken_torchvision

LIMIT_BYTES = 1 << 30
LIMIT_S = 20
ASK = [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]


def pages(at: int) -> int:
    """Bytes of this process: 0 all that it may touch, 1 what is in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[at]) * resource.getpagesize()


def do(job: dict[str, Any]) -> int:
    """The exit code of a job."""
    if "template" in job:
        try:
            sys.stdout.write(Template(job["template"], bos_token="<s>").render(ASK))
        except ManifestError as error:
            sys.stderr.write(f"{error}\n")
            return ManifestError.exit_code
        return 0
    os.chdir(job["cwd"])
    sys.argv = ["edgeval", *job["argv"]]
    try:
        main.main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0


def work(job: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> None:
    """Do a job and end."""
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    most = pages(0) + job.get("bytes", LIMIT_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(job.get("seconds", LIMIT_S))
    code = 1
    try:
        code = do(job)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, it is told to the test
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """What came of a job."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = pages(1)
        child = os.fork()
        if child == 0:
            work(job, out, err)
        _, status, usage = os.wait4(child, 0)
        said = [stream.seek(0) or stream.read().decode(errors="replace") for stream in (out, err)]
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": said[0],
        "err": said[1],
        "grew": usage.ru_maxrss * 1024 - before,
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }


if __name__ == "__main__":
    assert run  # there before the first fork
    with without_broken_torchvision():
        for name in sys.argv[1:]:
            importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(answer(json.loads(line)))}\n")
        sys.stdout.flush()
