"""Structs in the module's memory by the names of their fields, which the module tells (wasm/record.h)."""

import math
import re
from typing import Any, Dict, List

import numpy as np

from .error import WispError, naming

# What a field holds, as numpy calls it
_FORMATS = {
    "i32": "<i4",
    "u32": "<u4",
    "i64": "<i8",
    "f32": "<f4",
    "f64": "<f8",
    "flag": "<i4",
    "word": "<i4",
    "address": "<u4",
    "text": "<u4",
}
_WHOLE = {"i32": (-(2**31), 2**31 - 1), "u32": (0, 2**32 - 1)}


class Record:
    """One of the module's structs."""

    def __init__(self, text: str) -> None:
        head, *lines = text.split("\n")
        self.name, size = head.split(" ")
        fields = [line.split(" ") for line in lines]
        names = [_snake(field[0]) for field in fields]
        self._kinds = dict(zip(names, (field[1] for field in fields)))
        self._words = {name: _words(field[4:]) for name, field in zip(names, fields)}
        self.dtype = np.dtype(
            {
                "names": names,
                "formats": [_FORMATS[field[1]] for field in fields],
                "offsets": [int(field[2]) for field in fields],
                "itemsize": int(size),
            }
        )

    def fill(self, struct: np.ndarray, values: Dict[str, Any]) -> None:
        """What is None stays as it is there."""
        for name, value in values.items():
            if value is not None:
                struct[name] = self._number(name, value)

    def read(self, struct: np.ndarray) -> Dict[str, Any]:
        """Every field by its name; texts by their addresses."""
        return {name: self._told(name, struct[name].item()) for name in self._kinds}

    def texts(self) -> List[str]:
        """Names of the fields that hold texts."""
        return [name for name, kind in self._kinds.items() if kind == "text"]

    def _told(self, name: str, number: Any) -> Any:
        if self._kinds[name] == "flag":
            return bool(number)
        for word, meant in self._words[name].items():
            if meant == number:
                return word
        return number

    def _number(self, name: str, value: Any) -> Any:
        kind, words = self._kinds[name], self._words[name]
        if isinstance(value, str) and value in words:
            return words[value]
        if kind == "word":
            may = [f'"{word}"' for word in words]
            raise _wrong(f"{name} is {', '.join(may[:-1])} or {may[-1]}, not {naming(value)}.")
        if kind == "flag":
            if isinstance(value, (bool, np.bool_)):
                return int(value)
            raise _wrong(f"{name} is True or False, not {naming(value)}.")
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
            raise _wrong(f"{name} is a number, not {naming(value)}.")
        if kind in _WHOLE:
            least, most = _WHOLE[kind]
            if math.isfinite(value) and int(value) == value and least <= value <= most:
                return int(value)
            raise _wrong(f"{name} is a whole number, not {naming(value)}.")
        if not math.isfinite(value):
            raise _wrong(f"{name} is a number, not {naming(value)}.")
        return value


def read_records(text: str) -> Dict[str, Record]:
    """By name."""
    records = [Record(one) for one in text.split("\n\n")]
    return {record.name: record for record in records}


def _snake(name: str) -> str:
    """maxDetections → max_detections"""
    return re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), name.rstrip("!"))


def _words(pairs: List[str]) -> Dict[str, int]:
    return {word: int(value) for word, value in (pair.split("=") for pair in pairs)}


def _wrong(sentence: str) -> WispError:
    return WispError("WISP_ERR_ARGUMENT", sentence)
