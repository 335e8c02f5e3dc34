"""Reads what wandb wrote offline: protocol buffers in the log format of LevelDB."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER_BYTES = 7
BLOCK_BYTES = 32_768


def wandb_records(file: Path, kind: str) -> list[Any]:
    """The records of a kind (run, history, summary) in a .wandb file."""
    from wandb.proto import wandb_internal_pb2

    found = []
    for data in _leveldb_records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == kind:
            found.append(getattr(record, kind))
    return found


def wandb_values(file: Path, kind: str) -> list[dict[str, Any]]:
    """The names and values that each record of a kind holds."""
    found = []
    for content in wandb_records(file, kind):
        items = content.item if kind == "history" else (content.config if kind == "run" else content).update
        found.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return found


def _leveldb_records(content: bytes) -> Iterator[bytes]:
    """Blocks of 32 KiB hold pieces with a checksum (4 bytes), a length (2), a type (1): whole, first, middle, last."""
    whole, last = 1, 4
    place, piece = HEADER_BYTES, b""
    while place + HEADER_BYTES <= len(content):
        if BLOCK_BYTES - place % BLOCK_BYTES < HEADER_BYTES:
            place += BLOCK_BYTES - place % BLOCK_BYTES
            continue
        length, kind = struct.unpack_from("<HB", content, place + 4)
        piece += content[place + HEADER_BYTES : place + HEADER_BYTES + length]
        place += HEADER_BYTES + length
        if kind in (whole, last):
            yield piece
            piece = b""
