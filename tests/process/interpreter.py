"""An interpreter with everything imported, each fork of which becomes a run of the command.

Run as a program by `tests.process.processes`, with the number of a socket to listen at, the path of
the installed command, and the usual pauses of its runs as JSON. It takes a byte for each run, with
four files: a socket, and the run's standard input, output and error. At that socket it reads the
run's arguments, environment and folder, and tells its number and how it ended.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import termios
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

LIBRARIES = (
    "click._textwrap",
    "click.shell_completion",
    "concurrent.futures.thread",
    "cryptography.hazmat.primitives.serialization",
    "dns.query",
    "dns.rdtypes.ANY.NS",
    "dns.rdtypes.IN.A",
    "dns.rdtypes.IN.AAAA",
    "dns.resolver",
    "filelock",
    "idna",
    "pydantic",
    "requests",
    "urllib3",
    "uuid",
)
"""What the command imports in functions, and nobody has at the top of a module."""


class Run(NamedTuple):
    """What a fork is to become: where that is told, and its standard files."""

    channel: socket.socket
    files: list[int]


def import_everything() -> None:
    """Whatever a command may need. Memory that nobody writes to is shared by all forks."""
    import netcup_mailauth

    for module in pkgutil.walk_packages(netcup_mailauth.__path__, "netcup_mailauth."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for library in LIBRARIES:
        import_module(library)
    gc.collect()
    gc.freeze()


def set_the_usual_pauses(values: list[Any]) -> None:
    """How long a run waits before it looks again at what failed, in the order of `Pauses`."""
    from netcup_mailauth.clock import Pauses

    Pauses.__init__.__defaults__ = tuple(values)


def serve(listener: socket.socket) -> Run:
    """Fork for each run that is asked for, and tell how it ended. Returns in the forks only.

    It has one thread: a fork of a process with several may hang.
    """
    woken, waking = socket.socketpair()
    woken.setblocking(False)
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    channels: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(4096)
                tell_who_ended(channels)
            if listener in ready:
                run = next_run(listener)
                process = os.fork()
                if process == 0:
                    break
                for file in run.files:
                    os.close(file)
                channels[process] = run.channel
                tell(run.channel, process)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for mine in (listener, woken, waking, *channels.values()):
        mine.close()
    return run


def next_run(listener: socket.socket) -> Run:
    """The next that is asked for; the end of the program when the tests have ended."""
    asked, files, _, _ = socket.recv_fds(listener, 1, 4)
    if not asked:
        sys.exit()
    return Run(socket.socket(fileno=files[0]), files[1:])


def tell_who_ended(channels: dict[int, socket.socket]) -> None:
    """Tell those who wait for it how their run ended."""
    while channels:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == 0:
            break
        with channels.pop(process) as channel:
            tell(channel, os.waitstatus_to_exitcode(status))


def tell(channel: socket.socket, number: int) -> None:
    """Say a number; perhaps nobody is interested any more."""
    with contextlib.suppress(OSError):
        channel.sendall(number.to_bytes(4, signed=True))


def become(run: Run, script: str) -> None:
    """Make of this fork what Python would be, had it been started as the run is to be."""
    with run.channel, run.channel.makefile() as told:
        wanted = json.load(told)
    if wanted["terminal"]:
        os.setsid()
        fcntl.ioctl(run.files[0], termios.TIOCSCTTY, 0)
    for standard, file in enumerate(run.files):
        os.dup2(file, standard)
        os.close(file)
    reopen_standard_files()
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    sys.argv = [script, *wanted["arguments"]]
    sys.path[:1] = [
        str(Path(script).resolve().parent),
        *filter(None, os.environ.get("PYTHONPATH", "").split(":")),
    ]
    if "PYTHONPATH" in os.environ:
        sys.modules.pop("sitecustomize", None)
        with contextlib.suppress(ImportError):
            import_module("sitecustomize")


def reopen_standard_files() -> None:
    """What Python does when it starts: it looks at what it got, and buffers a terminal's lines."""
    errors = str(sys.stdout.errors)
    sys.stdin = standard_file(0, "r", "<stdin>", errors)
    sys.stdout = standard_file(1, "w", "<stdout>", errors)
    sys.stderr = standard_file(2, "w", "<stderr>", "backslashreplace", line_buffering=True)
    # Names that are final for everybody else.
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def standard_file(
    number: int, mode: str, name: str, errors: str, line_buffering: bool = False
) -> io.TextIOWrapper:
    """A standard file, as Python opens it."""
    raw = io.FileIO(number, mode, closefd=False)
    raw.name = name
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    lines = line_buffering or raw.isatty()
    file = io.TextIOWrapper(buffer, sys.stdout.encoding, errors, "\n", lines)
    vars(file)["mode"] = mode
    return file


def leave_at_once(codes: list[int]) -> None:
    """End the process with this exit code, and with what Python does first, but no more than that.

    It would go on to take all apart, and so write to memory that is shared until then, which takes
    longer than many a run. Where there is no exit code, or a file does not take the last that was
    said, Python ends as ever.
    """
    for code in codes:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    exit_codes: list[int] = []
    atexit.register(leave_at_once, exit_codes)  # the first of all, and so the last to be called
    import_everything()
    _, number, script, pauses = sys.argv
    set_the_usual_pauses(json.loads(pauses))
    become(serve(socket.socket(fileno=int(number))), script)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, int):
            exit_codes.append(ended.code)
        raise
