"""What went wrong, as a code for programs and one sentence for people."""

import errno
from typing import Union


class WispError(Exception):
    """The codes are those of wisp in other languages.

    Of the C core: WISP_ERR_ARGUMENT, _MEMORY, _FORMAT, _VERSION, _TRUNCATED, _CHECKSUM, _UNSUPPORTED, _LIMIT. Of the
    Python around it: WISP_ERR_SOURCE (no picture could be made of what was given), WISP_ERR_FETCH (a file can't be
    read), WISP_ERR_ENGINE (wasmtime can't run wisp), WISP_ERR_CRASH (the engine died), WISP_ERR_CLOSED (the detector
    was closed).
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.message = sentence

    def __str__(self) -> str:
        return self.message


def naming(value: object) -> str:
    """How a sentence calls a value that it refuses."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (str, int, float)):
        return f"the {type(value).__name__} {value!r:.80}"
    return f"this {type(value).__name__}"


_REASONS = {
    "EACCES": "permission is denied",
    "EISDIR": "it is a folder",
    "ENOENT": "there is no such file",
    "ENOTDIR": "what stands before its name is no folder",
}


def unreadable(name: str, cause: Union[OSError, ValueError]) -> WispError:
    """For a file that the system doesn't give."""
    code = errno.errorcode.get(getattr(cause, "errno", None) or 0)
    why = f"{_REASONS.get(code, str(getattr(cause, 'strerror', None)))} ({code})" if code else str(cause)
    return WispError("WISP_ERR_FETCH", f"{name}: {why}.")
