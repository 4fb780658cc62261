"""A running instance of the module seen through its memory: statuses as errors, traps as crashes."""

import threading
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import numpy as np
import wasmtime

from .error import WispError
from .record import Record, read_records

_FILE = Path(__file__).with_name("reactor.wasm")
_PIECE = 256  # bytes of a text that are looked at together
_lock = threading.Lock()
_compiled: Optional[Tuple[wasmtime.Engine, wasmtime.Module]] = None


def _compile() -> Tuple[wasmtime.Engine, wasmtime.Module]:
    """Once a process; wasmtime keeps the code for the next one in the user's cache folder."""
    global _compiled
    with _lock:
        if _compiled is None:
            engine = wasmtime.Engine(_config())
            try:
                _compiled = engine, wasmtime.Module(engine, _FILE.read_bytes())
            except (OSError, wasmtime.WasmtimeError) as cause:
                sentence = f"{_FILE} did not compile: {_saying(cause)}. Install wisp-yolo and wasmtime again."
                raise WispError("WISP_ERR_ENGINE", sentence) from cause
        return _compiled


def _config() -> wasmtime.Config:
    config = wasmtime.Config()
    try:
        config.cache = True
    except wasmtime.WasmtimeError:  # there is no such folder, or none that may be written to
        return wasmtime.Config()
    return config


class Instance:
    """Not to be used by two threads at once. A view of its memory is void after the next call."""

    def __init__(self) -> None:
        engine, module = _compile()
        self._store = wasmtime.Store(engine)
        self._store.set_wasi(wasmtime.WasiConfig())
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        self._functions: Dict[str, wasmtime.Func] = {}
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory
        self.call("_initialize")
        told = (self.text(self.call(name)) for name in ("runtime_records", "reactor_records"))
        self._records = {name: record for text in told for name, record in read_records(text).items()}

    def call(self, name: str, *parameters: Any) -> int:
        """A number, an address, or 0 of what returns nothing."""
        function = self._functions.get(name)
        if function is None:
            export = self._exports[name]
            assert isinstance(export, wasmtime.Func)
            function = self._functions[name] = export
        try:
            return function(self._store, *parameters) or 0
        except (wasmtime.Trap, wasmtime.WasmtimeError) as cause:
            sentence = f"The engine crashed: {_saying(cause)}. Open the detector again."
            raise WispError("WISP_ERR_CRASH", sentence) from cause

    def require(self, status: int) -> None:
        """Raises the module's error where `status` is one."""
        if status < 0:
            code, sentence = self.call("runtime_error_name"), self.call("runtime_error_message")
            raise WispError(self.text(code), self.text(sentence))

    def size(self) -> int:
        """Bytes of its memory."""
        return self._memory.data_len(self._store)

    def bytes(self, at: int, length: int) -> np.ndarray:
        """uint8 [length] at an address."""
        if at < 0 or length < 0 or at + length > self.size():
            raise WispError("WISP_ERR_CRASH", f"The engine crashed: {at} + {length} lies outside of its memory.")
        if length == 0:
            return np.empty(0, np.uint8)
        return np.frombuffer(memoryview(self._memory.get_buffer_ptr(self._store, length, at)), np.uint8)

    def text(self, at: int) -> str:
        """UTF-8 that ends in a zero byte; "" at 0."""
        if at == 0:
            return ""
        text = b""
        while b"\0" not in text:
            start = at + len(text)
            text += self.bytes(start, min(_PIECE, self.size() - start)).tobytes()
        return text.partition(b"\0")[0].decode()

    def record(self, name: str) -> Record:
        """How a struct is laid out."""
        return self._records[name]

    def fill(self, name: str, at: int, values: Dict[str, Any]) -> None:
        """Fills the struct `name` at an address; what is None stays as it is there."""
        record = self._records[name]
        record.fill(self.structs(name, at, 1)[0], values)

    def read(self, name: str, at: int) -> Dict[str, Any]:
        """Every field of the struct `name` at an address."""
        record = self._records[name]
        values = record.read(self.structs(name, at, 1)[0])
        return {**values, **{field: self.text(values[field]) for field in record.texts()}}

    def structs(self, name: str, at: int, count: int) -> np.ndarray:
        """[count] of the struct `name` at an address."""
        dtype = self._records[name].dtype
        return self.bytes(at, count * dtype.itemsize).view(dtype)


def _saying(cause: BaseException) -> str:
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return lines[-1].strip().rstrip(".")
