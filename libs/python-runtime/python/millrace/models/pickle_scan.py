"""What the pickles of a model package would import and call, found without loading any of them.

Every file is looked at by its content, for a loader does not care about names. Archives and compressed files are
opened, within bounds. What cannot be read to its end counts as dangerous: a loader has run what comes before the
place where a scanner gives up.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickletools
import zipfile
import zlib
from typing import Any, BinaryIO, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from .pickle_globals import ALLOWED, DANGEROUS, is_name, judge, why

MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_ENTRIES = 20_000
MAX_DEPTH = 5

_SUFFIXES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill", ".p")
_TRAILING_PICKLES = 1_000


class Finding(NamedTuple):
    """Something about one pickle that is worth telling."""

    path: str
    verdict: str
    message: str


class _Opaque:
    """A value that the scanner does not follow."""

    def __repr__(self) -> str:
        return "?"


class _Global(NamedTuple):
    module: str
    name: str


class _Made(NamedTuple):
    """The result of calling a global with these arguments, and the state it was given since."""

    callable: _Global
    arguments: Any
    state: Any


_MARK = _Opaque()
_VALUE = _Opaque()


class _Broken(Exception):
    """The stream is no pickle that this scanner can follow to its end."""


class _Bounds:
    """What one scan may still unpack."""

    def __init__(self) -> None:
        self.bytes = MAX_UNPACKED_BYTES
        self.entries = MAX_ENTRIES

    def take(self, size: int) -> None:
        self.bytes -= size
        if self.bytes < 0:
            raise _Broken(f"unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MiB")


class _Stream:
    """Follows one pickle, keeping of its stack only what tells which globals are named and called."""

    def __init__(self, data: BinaryIO) -> None:
        self.data = data
        self.globals: List[_Global] = []
        self.problems: List[str] = []
        self.calls = 0
        self._stack: List[Any] = []
        self._memo: Dict[int, Any] = {}

    def run(self) -> None:
        """Reads up to STOP. :raises _Broken: where the stream cannot be followed."""
        try:
            for opcode, argument, _ in pickletools.genops(self.data):
                self._step(opcode, argument)
        except _Broken:
            raise
        except Exception as error:  # pickletools raises whatever its readers do
            raise _Broken(str(error)) from error

    def _step(self, opcode: Any, argument: Any) -> None:
        handler = getattr(self, "_op_" + opcode.name.lower(), None)
        if handler is not None:
            handler(argument)
        elif opcode.name in _CONSTANTS:
            self._stack.append(argument)
        elif opcode.name in _PUTS:
            self._memo[int(argument)] = self._top()
        elif opcode.name in _GETS:
            self._stack.append(self._remembered(int(argument)))
        else:
            self._generic(opcode)

    def _generic(self, opcode: Any) -> None:
        before = opcode.stack_before
        if pickletools.markobject in before:
            self._pop_mark()
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self._pop()
        self._stack.extend(_VALUE for _ in opcode.stack_after)

    def _top(self) -> Any:
        if not self._stack:
            raise _Broken("takes from an empty stack")
        return self._stack[-1]

    def _pop(self) -> Any:
        self._top()
        return self._stack.pop()

    def _pop_mark(self) -> List[Any]:
        values: List[Any] = []
        while True:
            value = self._pop()
            if value is _MARK:
                return values[::-1]
            values.append(value)

    def _remembered(self, index: int) -> Any:
        if index not in self._memo:
            raise _Broken(f"recalls {index}, which it never kept")
        return self._memo[index]

    def _name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            self.problems.append("computes the name of what it imports")
            self._stack.append(_VALUE)
            return
        found = _Global(module, name)
        self.globals.append(found)
        self._stack.append(found)

    def _call(self, target: Any, arguments: Any) -> None:
        self.calls += 1
        if isinstance(target, _Global):
            self._stack.append(_Made(target, arguments, None))
            return
        self._stack.append(_VALUE)

    def _op_mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def _op_dup(self, _: Any) -> None:
        self._stack.append(self._top())

    def _op_pop(self, _: Any) -> None:
        self._pop()

    def _op_pop_mark(self, _: Any) -> None:
        self._pop_mark()

    def _op_memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._top()

    def _op_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._name(module, name)

    def _op_stack_global(self, _: Any) -> None:
        name = self._pop()
        self._name(self._pop(), name)

    def _op_inst(self, argument: str) -> None:
        arguments = self._pop_mark()
        module, _, name = argument.partition(" ")
        self._name(module, name)
        self._call(self._pop(), arguments)

    def _op_obj(self, _: Any) -> None:
        values = self._pop_mark()
        if not values:
            raise _Broken("makes an object of nothing")
        self._call(values[0], values[1:])

    def _op_reduce(self, _: Any) -> None:
        arguments = self._pop()
        target = self._pop()
        if not isinstance(target, _Global) and not _is_builtin_type(target):
            self.problems.append("calls something that it made itself")
        self._call(target, arguments)

    def _op_newobj(self, _: Any) -> None:
        arguments = self._pop()
        self._call(self._pop(), arguments)

    def _op_newobj_ex(self, _: Any) -> None:
        self._pop()
        self._op_newobj(None)

    def _op_build(self, _: Any) -> None:
        self.calls += 1
        state = self._pop()
        built = self._pop()
        if isinstance(built, _Made):
            built = built._replace(state=state)
        self._stack.append(built)
        if _is_joblib_array(built):
            self._skip_joblib_array(state)

    def _op_tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._pop_mark()))

    def _op_empty_tuple(self, _: Any) -> None:
        self._stack.append(())

    def _op_tuple1(self, _: Any) -> None:
        self._small_tuple(1)

    def _op_tuple2(self, _: Any) -> None:
        self._small_tuple(2)

    def _op_tuple3(self, _: Any) -> None:
        self._small_tuple(3)

    def _small_tuple(self, size: int) -> None:
        self._stack.append(tuple(self._pop() for _ in range(size))[::-1])

    def _op_empty_dict(self, _: Any) -> None:
        self._stack.append({})

    def _op_setitem(self, _: Any) -> None:
        value = self._pop()
        self._set([self._pop(), value])

    def _op_setitems(self, _: Any) -> None:
        self._set(self._pop_mark())

    def _set(self, items: List[Any]) -> None:
        target = self._top()
        if isinstance(target, dict):
            target.update((k, v) for k, v in zip(items[::2], items[1::2]) if isinstance(k, str))

    def _op_ext1(self, _: Any) -> None:
        self.problems.append("names what it imports by a number of the extension registry")
        self._stack.append(_VALUE)

    _op_ext2 = _op_ext4 = _op_ext1

    def _skip_joblib_array(self, state: Any) -> None:
        """joblib writes an array's bytes into the stream, right behind the wrapper that describes it."""
        size = _array_bytes(state)
        if size is None:
            nested = _Stream(self.data)
            nested.run()
            self.globals.extend(nested.globals)
            self.problems.extend(nested.problems)
            return
        if "numpy_array_alignment_bytes" in state and state["numpy_array_alignment_bytes"] is not None:
            padding = self.data.read(1)
            self.data.seek(int.from_bytes(padding, "little"), os.SEEK_CUR)
        self.data.seek(size, os.SEEK_CUR)


_CONSTANTS = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE "
    "SHORT_BINUNICODE BINUNICODE BINUNICODE8".split()
)
_PUTS = frozenset(["PUT", "BINPUT", "LONG_BINPUT"])
_GETS = frozenset(["GET", "BINGET", "LONG_BINGET"])


def _is_builtin_type(value: Any) -> bool:
    """cloudpickle keeps a code object as a call of ``types.CodeType``, which it asks for by name."""
    return isinstance(value, _Made) and value.callable == _Global("cloudpickle.cloudpickle", "_builtin_type")


def _is_joblib_array(value: Any) -> bool:
    return isinstance(value, _Made) and value.callable == _Global("joblib.numpy_pickle", "NumpyArrayWrapper")


def _array_bytes(state: Any) -> Optional[int]:
    """Bytes of a joblib array in the stream; ``None`` for objects, which are a pickle. :raises _Broken: else."""
    shape = state.get("shape") if isinstance(state, dict) else None
    dtype = state.get("dtype") if isinstance(state, dict) else None
    code = dtype.arguments[0] if isinstance(dtype, _Made) and dtype.arguments else None
    if not isinstance(shape, tuple) or not isinstance(code, str) or dtype.callable.name != "dtype":
        raise _Broken("holds an array whose size cannot be told")
    if code.startswith("O"):
        return None
    digits = code[1:]
    if not digits.isdigit() or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise _Broken("holds an array whose size cannot be told")
    size = int(digits) * (4 if code[0] == "U" else 1)
    for side in shape:
        size *= side
    return size


class Scanner:
    """Scans files; collects what is found in them.

    :param requirements: requirement lines of the model; what they name may be imported, but is reported.
    :param own: top-level modules that lie in the package.
    """

    def __init__(self, requirements: Iterable[str] = (), own: Iterable[str] = ()) -> None:
        self.files: List[str] = []
        self.globals: Set[str] = set()
        self.findings: List[Finding] = []
        self._declared = frozenset(_module_of(line) for line in requirements)
        self._own = frozenset(own)

    def scan(self, path: str, data: BinaryIO) -> None:
        """Looks at one file, whatever it is."""
        bounds = _Bounds()
        try:
            self._scan(path, data, bounds, 0)
        except _Broken as broken:
            self._dangerous(path, str(broken))

    def verdict(self) -> str:
        """``none``, ``clean``, ``unknown`` (code of its own, or what is not known) or ``dangerous``."""
        if any(finding.verdict == DANGEROUS for finding in self.findings):
            return DANGEROUS
        if self.findings:
            return "unknown"
        return "clean" if self.files else "none"

    def report(self) -> Dict[str, Any]:
        """The findings as JSON, in an order that depends on the files alone."""
        return {
            "verdict": self.verdict(),
            "files": sorted(set(self.files)),
            "globals": sorted(self.globals),
            "findings": [
                {"path": path, "verdict": verdict, "message": message}
                for path, verdict, message in sorted(set(self.findings))
            ],
        }

    def _scan(self, path: str, data: BinaryIO, bounds: _Bounds, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Broken(f"is nested more than {MAX_DEPTH} deep")
        head = data.read(8)
        data.seek(0)
        # A zip file may begin with anything: its directory stands at its end.
        if _is_zip(data):
            self._scan_zip(path, data, bounds, depth)
            if head.startswith(b"PK"):
                return
        data.seek(0)
        if head.startswith(b"\x93NUMPY"):
            self._scan_npy(path, data)
            return
        unpack = _unpacker(head)
        if unpack is not None:
            plain = _unpacked(unpack(data), bounds)
            if plain is not None:
                self._scan(path, plain, bounds, depth + 1)
                return
            data.seek(0)
        expected = head[:1] == b"\x80" or path.lower().endswith(_SUFFIXES)
        self._scan_pickles(path, data, expected)

    def _scan_zip(self, path: str, data: BinaryIO, bounds: _Bounds, depth: int) -> None:
        try:
            with zipfile.ZipFile(data) as archive:
                for entry in archive.infolist():
                    bounds.entries -= 1
                    if bounds.entries < 0:
                        raise _Broken(f"holds more than {MAX_ENTRIES} files")
                    if entry.is_dir():
                        continue
                    with archive.open(entry) as content:
                        plain = _read_bounded(content, bounds)
                    self._scan(f"{path}:{entry.filename}", plain, bounds, depth + 1)
        except _Broken:
            raise
        except Exception as error:  # encrypted, damaged, of an unknown method
            raise _Broken(f"cannot be unpacked: {error}") from error

    def _scan_npy(self, path: str, data: BinaryIO) -> None:
        """A NumPy file holds a pickle only where its header says that its cells are objects."""
        data.seek(6)
        version = data.read(2)[:1]
        size = int.from_bytes(data.read(2 if version == b"\x01" else 4), "little")
        header = data.read(min(size, 1024 * 1024))
        if b"O" in header.split(b"fortran_order")[0].replace(b"descr", b""):
            self._scan_pickles(path, data, True)

    def _scan_pickles(self, path: str, data: BinaryIO, expected: bool) -> None:
        """The pickle that the file begins with, and those that follow it as old PyTorch files have them."""
        for _ in range(_TRAILING_PICKLES):
            start = data.tell()
            stream = _Stream(data)
            broken: Optional[_Broken] = None
            try:
                stream.run()
            except _Broken as error:
                broken = error
            if not expected and not _acts(stream):
                return
            self._take(path, stream, broken)
            if broken is not None:
                return
            following = data.read(1)
            if following == b"" or data.tell() <= start:
                return
            data.seek(-1, os.SEEK_CUR)
            # Behind the last pickle stand raw numbers.
            expected = False
        raise _Broken("holds more pickles than can be followed")

    def _take(self, path: str, stream: _Stream, broken: Optional[_Broken]) -> None:
        self.files.append(path)
        for module, name in stream.globals:
            self.globals.add(f"{module}.{name}")
            verdict = judge(module, name, self._declared, self._own)
            if verdict != ALLOWED:
                told = DANGEROUS if verdict == DANGEROUS else "unknown"
                self.findings.append(Finding(path, told, why(module, name, verdict) or ""))
        for problem in stream.problems:
            self._dangerous(path, problem)
        if broken is not None:
            self._dangerous(path, f"is broken ({broken}): a loader runs what stands before the place")

    def _dangerous(self, path: str, message: str) -> None:
        self.findings.append(Finding(path, DANGEROUS, message))


def _acts(stream: _Stream) -> bool:
    """Whether bytes that nobody called a pickle do what only a pickle does. Text may begin like one by chance."""
    named = any(is_name(module) and is_name(name) for module, name in stream.globals)
    return stream.calls > 0 and (named or bool(stream.problems))


def _module_of(requirement: str) -> str:
    name = ""
    # A package of the project's own is named by its wheel: `wheels/prices-1.0-py3-none-any.whl`.
    if requirement.startswith("wheels/"):
        requirement = requirement[len("wheels/") :].split("-")[0]
    for letter in requirement.strip():
        if not (letter.isalnum() or letter in "-_."):
            break
        name += letter
    return name.lower().replace("-", "_")


def _is_zip(data: BinaryIO) -> bool:
    try:
        return zipfile.is_zipfile(data)
    finally:
        data.seek(0)


def _unpacker(head: bytes) -> Any:
    if head.startswith(b"\x1f\x8b"):
        return lambda data: gzip.GzipFile(fileobj=data)
    if head.startswith(b"BZh"):
        return bz2.BZ2File
    if head.startswith((b"\xfd7zXZ", b"]\x00\x00")):
        return lzma.LZMAFile
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return _ZlibReader
    if head.startswith(b"\x04\x22\x4d\x18"):
        raise _Broken("is compressed with LZ4, which cannot be looked into")
    return None


class _ZlibReader:
    """A zlib stream as joblib writes it, read piece by piece."""

    def __init__(self, data: BinaryIO) -> None:
        self._data = data
        self._inflate = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        pending = self._inflate.unconsumed_tail or self._data.read(size)
        while pending:
            piece = self._inflate.decompress(pending, size)
            if piece:
                return piece
            pending = self._inflate.unconsumed_tail or self._data.read(size)
        return b""


def _unpacked(packed: Any, bounds: _Bounds) -> Optional[BinaryIO]:
    """The content of a compressed file; ``None`` when it only began like one."""
    try:
        return _read_bounded(packed, bounds)
    except _Broken:
        raise
    except Exception:  # each library has errors of its own
        return None


def _read_bounded(content: Any, bounds: _Bounds) -> BinaryIO:
    plain = io.BytesIO()
    while True:
        piece = content.read(1024 * 1024)
        if not piece:
            plain.seek(0)
            return plain
        bounds.take(len(piece))
        plain.write(piece)


def _files_below(root: str) -> Iterator[Tuple[str, str]]:
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            full = os.path.join(directory, name)
            yield os.path.relpath(full, root).replace(os.sep, "/"), full


def own_modules(root: str) -> FrozenSet[str]:
    """Top-level modules of the package's ``code`` directory."""
    code = os.path.join(root, "code")
    names = os.listdir(code) if os.path.isdir(code) else []
    return frozenset(name[:-3] if name.endswith(".py") else name for name in names)


def scan_directory(root: str, requirements: Iterable[str] = ()) -> Dict[str, Any]:
    """Scans every file of a model directory.

    :param requirements: requirement lines of the model, whose modules may occur in its pickles.
    :returns: ``{verdict, files, globals, findings: [{path, verdict, message}]}``; verdict is ``none`` without
        pickles, ``clean`` when they name nothing but what is known to be harmless, ``unknown`` when they hold code
        of their own or name modules of the requirements that are not known, else ``dangerous``.
    """
    scanner = Scanner(requirements, own_modules(root))
    for path, full in _files_below(root):
        with open(full, "rb") as data:
            scanner.scan(path, data)
    return scanner.report()
