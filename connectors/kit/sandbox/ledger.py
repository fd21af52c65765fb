"""The ledger of a sandbox: what the institution really did, per operation id; tests read it as the oracle.

With a file, each line is on its way to the disk before the answer leaves, so that the ledger survives the end of the
sandbox's own process. What an institution has to know again after a restart (a payment that waits for its OTP) is
remembered in the same file.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BufferedWriter
from pathlib import Path
from typing import Any

import msgspec


class Ledger:
    """Counts effects. The same operation id, operation and effect again raises the count: a double act shows as 2."""

    def __init__(self, path: Path | None = None) -> None:
        self.memory: dict[str, Any] = {}
        self.entries: dict[str, list[tuple[str, dict[str, str]]]] = {}  #: By statement: when (ISO) and the row.
        self._keys: set[tuple[str, str]] = set()
        self._effects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._path = path
        self._file: BufferedWriter | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = self._read_back(path)
            self._file = path.open("ab")
            self._file.truncate(whole)

    def record(self, operation_id: str, operation: str, what: str) -> int:
        """Write one effect down; gives how often this effect has now happened for this operation id."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._append({"effect": [operation_id, operation, what], "at": at})
        return self._count(operation_id, operation, what, at)

    def remember(self, key: str, value: Any) -> None:
        """Keep `value` (plain JSON) under `key` in `memory`, also over a restart."""
        self._append({"key": key, "value": value})
        self.memory[key] = value

    def enter(self, statement: str, at: str, row: dict[str, str], key: Any = None) -> None:
        """Write a row into the book of a statement; with a key only once."""
        if key is not None and (statement, str(key)) in self._keys:
            return
        self._append({"entry": [statement, at, row, None if key is None else str(key)]})
        self._entered(statement, at, row, key)

    def effects(self, operation_id: str | None = None) -> list[Mapping[str, Any]]:
        """The effects in the order of their first happening: operation_id, operation, what, count, at (the last)."""
        return [row for row in self._effects.values() if operation_id in (None, row["operation_id"])]

    def reset(self) -> None:
        """Forget everything, in the file too."""
        self._effects.clear()
        self.memory.clear()
        self.entries.clear()
        self._keys.clear()
        if self._file is not None:
            self._file.truncate(0)

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        if self._file is not None:
            self._file.close()

    def _count(self, operation_id: str, operation: str, what: str, at: str) -> int:
        row = self._effects.setdefault(
            (operation_id, operation, what),
            {"operation_id": operation_id, "operation": operation, "what": what, "count": 0, "at": at},
        )
        row["count"] += 1
        row["at"] = at
        return int(row["count"])

    def _entered(self, statement: str, at: str, row: dict[str, str], key: Any) -> None:
        self.entries.setdefault(statement, []).append((at, row))
        if key is not None:
            self._keys.add((statement, str(key)))

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()

    def _read_back(self, path: Path) -> int:
        """Read the lines of an earlier process; gives the length up to the last whole line (a kill may cut one)."""
        whole = 0
        if not path.exists():
            return whole
        for raw in path.read_bytes().splitlines(keepends=True):
            if not raw.endswith(b"\n"):
                break
            whole += len(raw)
            line = msgspec.json.decode(raw)
            if "effect" in line:
                operation_id, operation, what = line["effect"]
                self._count(operation_id, operation, what, line["at"])
            elif "entry" in line:
                self._entered(*line["entry"])
            else:
                self.memory[line["key"]] = line["value"]
        return whole
