"""Runs the server's command line on a disk whose fsync or write fails while a file says so:

    python failing_disk.py FOLDER serve …

As long as FOLDER/sync exists, every fsync of a database file fails as with EIO; as long as FOLDER/write exists, every
write. The errors enter below SQLite, in its layer for the operating system, which the table of functions of an open
file makes up (https://sqlite.org/c3ref/io_methods.html).
"""

from __future__ import annotations

import _sqlite3
import ctypes
import sys
from pathlib import Path

_OK, _FAILED_FSYNC, _FAILED_WRITE = 0, 10 | 4 << 8, 10 | 3 << 8  # SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE
_FUNCTIONS = 18  # of struct sqlite3_io_methods, version 3, after its number of version
_WRITE, _SYNC = 2, 4  # positions in it
_X_OPEN_OFFSET = 40  # of struct sqlite3_vfs, with pointers of 8 bytes

_Open = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_void_p
)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_Write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)


class _Methods(ctypes.Structure):
    _fields_ = (("version", ctypes.c_int), ("functions", ctypes.c_void_p * _FUNCTIONS))


_kept: list[object] = []  # what C points to
_tables: dict[int, _Methods] = {}  # by the address of the table that each replaces


def install(folder: Path) -> None:
    """Let this process's databases fail as files in the folder say. Raises AttributeError or OSError if SQLite's
    functions cannot be reached.
    """
    find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
    find.restype, find.argtypes = ctypes.c_void_p, (ctypes.c_char_p,)
    place = ctypes.c_void_p.from_address(find(None) + _X_OPEN_OFFSET)
    open_really = _Open(place.value or 0)

    def open_file(vfs: int, name: int, file: ctypes._Pointer[ctypes.c_void_p], flags: int, out: int) -> int:
        result = int(open_really(vfs, name, file, flags, out))
        if file[0]:
            file[0] = ctypes.addressof(_replace_table(file[0], folder))
        return result

    replaced = _Open(open_file)
    _kept.extend((open_really, replaced))
    place.value = ctypes.cast(replaced, ctypes.c_void_p).value


def _replace_table(address: int, folder: Path) -> _Methods:
    if address not in _tables:
        table = _Methods.from_buffer_copy(_Methods.from_address(address))
        sync_really, write_really = _Sync(table.functions[_SYNC]), _Write(table.functions[_WRITE])
        sync_fails, write_fails = folder / "sync", folder / "write"

        def sync(file: int, flags: int) -> int:
            return _FAILED_FSYNC if sync_fails.exists() else int(sync_really(file, flags))

        def write(file: int, data: int, size: int, offset: int) -> int:
            return _FAILED_WRITE if write_fails.exists() else int(write_really(file, data, size, offset))

        replaced = _Sync(sync), _Write(write)
        _kept.extend((sync_really, write_really, *replaced))
        table.functions[_SYNC] = ctypes.cast(replaced[0], ctypes.c_void_p).value
        table.functions[_WRITE] = ctypes.cast(replaced[1], ctypes.c_void_p).value
        _tables[address] = table
    return _tables[address]


if __name__ == "__main__":
    install(Path(sys.argv.pop(1)))
    from haleganada_server.__main__ import main

    main()
