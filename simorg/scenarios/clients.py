"""Clients under test: a command in a process of its own, or a function in this one."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

#: the exit code of a client that does not do what is asked (as automake's tests)
SKIP = 77
#: the line by which a client says that it waits
WAITING = "simorg: next"
#: seconds between two looks at the journal while a client runs
_LOOK = 0.05
_LONGEST_LINE = 65_536
#: characters of output that are kept
_MOST_OUTPUT = 200_000


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended."""

    #: the exit code; None when the client was stopped
    code: int | None
    output: str
    seconds: float
    #: why it was stopped
    stopped: str | None = None


class Scene(Protocol):
    """What happens around a client that runs."""

    def asked(self) -> None:
        """The client waits; called once per time, and when it returns the client goes on."""
        ...

    def look(self) -> str | None:
        """Called now and then; a reason stops the client."""
        ...


class Client(Protocol):
    """Something that can be let loose on an org."""

    @property
    def name(self) -> str:
        """For reports."""
        ...

    def run(self, environment: Mapping[str, str], scene: Scene, timeout: float) -> Finished:
        """Run it to its end, or stop it after ``timeout`` seconds."""
        ...


class CommandClient:
    """A shell command. Output is standard output and standard error as they come."""

    def __init__(self, command: str, *, cwd: str | None = None) -> None:
        self.name = command
        self._cwd = cwd

    def run(self, environment: Mapping[str, str], scene: Scene, timeout: float) -> Finished:
        begun = time.monotonic()
        process = subprocess.Popen(
            self.name,
            shell=True,
            cwd=self._cwd,
            env={**_inherited(), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        talk = _Talk(process, scene)
        try:
            stopped = self._watch(talk, scene, timeout)
        finally:
            _end(process)
            talk.close()
        seconds = time.monotonic() - begun
        code = None if stopped else process.returncode
        return Finished(code, talk.text, seconds, stopped)

    @staticmethod
    def _watch(talk: _Talk, scene: Scene, timeout: float) -> str | None:
        """Until it ends by itself, or there is a reason to stop it."""
        begun = looked = time.monotonic()
        while not talk.over(_LOOK):
            now = time.monotonic()
            if now - begun > timeout:
                return f"it ran for {timeout:g} seconds"
            if now - looked >= _LOOK:
                if reason := scene.look():
                    return reason
                looked = time.monotonic()
        return None


def _inherited() -> dict[str, str]:
    """Our environment without what would lead the client elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIMORG_")}
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        kept.pop(name, None)
        kept.pop(name.upper(), None)
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whatever the command has started ends with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


class _Talk:
    """Reads a process line by line, and answers when it waits."""

    def __init__(self, process: subprocess.Popen[bytes], scene: Scene) -> None:
        self._process, self._scene = process, scene
        # bounded: a client that floods us waits, as for any slow reader
        self._lines: queue.Queue[bytes | None] = queue.Queue(1_000)
        self._heard: list[str] = []
        self._size = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(_LONGEST_LINE):
            self._lines.put(line)
        self._lines.put(None)

    def over(self, patience: float) -> bool:
        """Hear what there is; True when the process has ended, False after ``patience``."""
        try:
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            return self._process.poll() is not None
        if line is None:
            self._process.wait()
            return True
        self._hear(line.decode("utf-8", "replace"))
        return False

    def _hear(self, line: str) -> None:
        if line.strip() == WAITING:
            self._scene.asked()
            self._answer()
        else:
            self._keep(line)

    def _keep(self, line: str) -> None:
        if self._size < _MOST_OUTPUT and line.strip() != WAITING:
            self._heard.append(line)
            self._size += len(line)

    def _answer(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(b"\n")
            stdin.flush()
        except OSError:
            pass  # it did not wait after all

    def close(self) -> None:
        """After the end: what is still in the pipe, and the pipe."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=0.05)
            except queue.Empty:
                if not self._reader.is_alive():
                    break
                continue
            if line is None:
                break
            self._keep(line.decode("utf-8", "replace"))
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass

    @property
    def text(self) -> str:
        return "".join(self._heard)


#: environment, a way to say a line, a way to wait -> exit code
Main = Callable[[Mapping[str, str], Callable[[str], None], Callable[[], None]], int]


class FunctionClient:
    """A function in this process: the built-in reference client.

    It runs in a thread of its own, which goes on by itself where a run had to be stopped.
    """

    def __init__(self, main: Main, name: str) -> None:
        self.name = name
        self._main = main

    def run(self, environment: Mapping[str, str], scene: Scene, timeout: float) -> Finished:
        begun = time.monotonic()
        call = _Call(self._main, environment)
        stopped = None
        while stopped is None and not call.over(scene, _LOOK):
            late = time.monotonic() - begun > timeout
            stopped = f"it ran for {timeout:g} seconds" if late else scene.look()
        code = None if stopped else call.result()
        return Finished(code, "".join(call.said), time.monotonic() - begun, stopped)


class _Call:
    """A function on its way, in a thread."""

    def __init__(self, main: Main, environment: Mapping[str, str]) -> None:
        self.said: list[str] = []
        #: an event to set where it waits; None at its end
        self._events: queue.SimpleQueue[threading.Event | None] = queue.SimpleQueue()
        self._ended: Future[int] = Future()
        threading.Thread(target=self._run, args=(main, environment), daemon=True).start()

    def _run(self, main: Main, environment: Mapping[str, str]) -> None:
        try:
            code = main(environment, lambda line: self.said.append(f"{line}\n"), self._wait)
            self._ended.set_result(code)
        except BaseException as error:
            self._ended.set_exception(error)
        self._events.put(None)

    def _wait(self) -> None:
        go_on = threading.Event()
        self._events.put(go_on)
        go_on.wait()

    def over(self, scene: Scene, patience: float) -> bool:
        """True when it has ended, False after ``patience`` seconds or where it waited."""
        try:
            waits = self._events.get(timeout=patience)
        except queue.Empty:
            return False
        if waits is None:
            return True
        try:
            scene.asked()
        finally:
            waits.set()
        return False

    def result(self) -> int:
        """Its exit code; raises what it raised."""
        return self._ended.result()
