"""``python -m cnnexp.sweep.server SOCKET``: a process that has imported torch and Lightning, and forks trials.

Importing them takes longer than a small trial. Imports alone are safe to fork. Nothing may be computed here: after one
convolution the threads of torch's pool exist in this process only, and every child waits for them for good.

It reads a job's path a message, with the trial's lock as an open file beside it; answers with the child's process id;
and says so when a child has ended. It ends when the other side of the socket is closed; its children go on.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from cnnexp.sweep.child import CRASHED, work

# What a run imports when it is under way
IMPORTED = (
    "cnnexp.commands.resume",
    "cnnexp.commands.train",
    "cnnexp.fit.run",
    "hydra._internal.config_loader_impl",
    "hydra.core.override_parser.overrides_parser",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "cnnexp.visualize.png",
)
REAP_EVERY_S = 0.02
LONGEST_MESSAGE = 65_536


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    for module in IMPORTED:
        import_module(module)
    gc.freeze()  # a collection in a child would write to, and so copy, the pages of all that was imported
    connection.sendall(b"ready\n")
    children: set[int] = set()
    while True:
        readable, _, _ = select.select([connection], [], [], REAP_EVERY_S if children else None)
        if readable:
            message, handles, _, _ = socket.recv_fds(connection, LONGEST_MESSAGE, 1)
            if not message:
                return
            children.add(_fork(Path(message.decode().rstrip("\n")), handles, connection))
        ended = {pid for pid in children if os.waitpid(pid, os.WNOHANG)[0]}
        children -= ended
        try:
            connection.sendall(b"".join(b"ended %d\n" % pid for pid in ended))
        except BrokenPipeError:
            return


def _fork(job: Path, handles: list[int], connection: socket.socket) -> int:
    pid = os.fork()
    if pid == 0:
        connection.close()
        _child(job)
    for handle in handles:  # the child alone holds the lock from here on
        os.close(handle)
    connection.sendall(b"started %d\n" % pid)
    return pid


def _child(job: Path) -> NoReturn:
    """It must not come back into the server's loop, whatever happens."""
    status = CRASHED
    try:
        status = work(job)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
