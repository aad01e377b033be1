import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from robbench.errors import UserError
from robbench.files import (
    atomic_writer,
    make_folder,
    read_table,
    remove_unfinished,
    write_bytes,
    write_csv,
    write_json,
    write_table,
)
from tests.outcome_tables import outcome_table


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def fail_halfway() -> None:
        with atomic_writer(path) as stream:
            stream.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with atomic_writer(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_file_and_folder_are_flushed_around_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations: list[str] = []
    flush, rename = os.fsync, os.replace

    def log_flush(descriptor: int) -> None:
        operations.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", log_flush)
    monkeypatch.setattr(os, "replace", lambda *names: (operations.append("rename"), rename(*names)))
    write_bytes(tmp_path / "file", b"x")
    assert operations in (["file", "rename", "folder"], ["file", "rename", "file"])


def test_a_full_disk_is_the_users_to_mend(tmp_path: Path) -> None:
    """A limit on file size stands in for a full disk: the write itself fails."""
    code = (
        "import pathlib, signal, sys; from robbench.files import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: write_bytes(pathlib.Path(sys.argv[1]), bytes(10**6))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(tmp_path / "file")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, 10**5)),
    )
    assert done.stdout.startswith("UserError"), done
    assert "cannot be written" in done.stdout
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_bytes(tmp_path / "missing" / "file", b"")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        make_folder(tmp_path / "file" / "folder")


def test_json_knows_numpys_numbers_and_refuses_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"ε": np.float32(0.5), "n": np.int64(3), "ok": np.bool_(True)})
    assert json.loads(path.read_text(encoding="utf-8")) == {"ε": 0.5, "n": 3, "ok": True}
    for odd in ({"x": object()}, {"x": float("nan")}):
        with pytest.raises((TypeError, ValueError)):
            write_json(path, odd)
    assert json.loads(path.read_text(encoding="utf-8"))["n"] == 3


def test_json_keeps_names_that_are_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"m\xff.py:build")
    write_json(tmp_path / "file.json", {"command": name})
    assert json.loads((tmp_path / "file.json").read_bytes()) == {"command": name}


def test_tables_come_back(tmp_path: Path) -> None:
    table = pa.table({"x": [0.1, None], "y": [[True], [False, True]]})
    write_table(tmp_path / "a=1.parquet", table)
    assert read_table(tmp_path / "a=1.parquet").equals(table)
    assert read_table(tmp_path / "a=1.parquet", ["x"]).column_names == ["x"]
    frame = pd.DataFrame({"x": [1 / 3, 2e-17], "name": ["a,b", "ü"]})
    write_csv(tmp_path / "frame.csv", frame)
    assert pd.read_csv(tmp_path / "frame.csv").equals(frame)


def test_only_unfinished_files_are_removed(tmp_path: Path) -> None:
    for name in (".hidden", "robbench-partial", ".a.robbench-partial"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "robbench-partial"]


def test_no_flipped_bit_in_the_data_goes_unnoticed(tmp_path: Path) -> None:
    """Every seventh byte of the pages: the table reads as it was or not at all."""
    table = outcome_table(range(50))
    path = tmp_path / "table.parquet"
    write_table(path, table)
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little")
    noticed = 0
    for position in range(4, len(content) - 8 - footer, 7):
        path.write_bytes(content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :])
        try:
            assert read_table(path).equals(table), position
        except (OSError, pa.ArrowException):
            noticed += 1
    assert noticed > 100
