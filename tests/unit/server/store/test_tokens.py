"""The file of tokens: private, sealed, changed by one command at a time, refused if newer."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from haleganada_server.core.access.audit import AuditEntry
from haleganada_server.core.access.identity import Caller, Role
from haleganada_server.core.access.tokens import make_token
from haleganada_server.core.disk.checksum import seal
from haleganada_server.core.errors import Precondition
from haleganada_server.store.audit import AuditFile
from haleganada_server.store.backup.backup import Backup
from haleganada_server.store.tokens import TokenFile

from tests.support.tokens import add_token


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = [make_token("ಅನ್ನ", Role.ADMIN, ("ಕನ್ನಡ",), None)[0], make_token("b", Role.READ, (), 2)[0].revoke()]
    TokenFile(tmp_path).change(lambda _before: made)
    assert list(TokenFile(tmp_path).read()) == made


def test_a_directory_without_tokens_has_none_and_stays_as_it_is(tmp_path: Path) -> None:
    assert not TokenFile(tmp_path).read() and not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    shown = add_token(tmp_path, "anna", Role.READ)
    for path in (tmp_path / "access", *(tmp_path / "access").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert shown.split("_", 2)[2] not in (tmp_path / "access" / "tokens.json").read_text()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
def test_what_root_changes_stays_readable_for_a_server_that_runs_as_another_user(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 12345, 12346)
    add_token(data, "anna", Role.READ)
    AuditFile(data).append(AuditEntry(1, Caller("anna"), "Export"))
    paths = [data / "access", *(data / "access").iterdir()]
    assert {path.name for path in paths} == {"access", "audit.jsonl", "lock", "tokens.json"}
    for path in paths:
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346), path


def test_a_backup_has_them_for_the_same_eyes(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    add_token(data, "anna", Role.READ)
    AuditFile(data).append(AuditEntry(1, Caller("anna"), "Export"))
    (data / "workspaces").mkdir()
    assert not any(part.problem for part in Backup(data, copy).run())
    assert TokenFile(copy).read() == TokenFile(data).read()
    assert list(AuditFile(copy).read()) == list(AuditFile(data).read())
    assert os.name == "nt" or stat.S_IMODE((copy / "access").stat().st_mode) == 0o700


def test_changes_at_once_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: add_token(tmp_path, f"token {i}", Role.READ), range(24)))
    assert {token.name for token in TokenFile(tmp_path).read()} == {f"token {i}" for i in range(24)}


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    add_token(tmp_path, "anna", Role.READ)
    before = TokenFile(tmp_path).read()

    def fail(_before: object) -> list[object]:
        raise KeyError

    with pytest.raises(KeyError):
        TokenFile(tmp_path).change(fail)  # type: ignore[arg-type]
    assert TokenFile(tmp_path).read() == before


def test_damaged_and_newer_files_are_refused_without_their_content(tmp_path: Path) -> None:
    add_token(tmp_path, "anna", Role.READ)
    path = tmp_path / "access" / "tokens.json"
    sound = path.read_text()
    newer = json.dumps(seal({"format": 2, "rights": "in another way"}))
    for content, said in ((sound.replace("read", "admin"), "damaged"), (sound[:-9], "damaged"), (newer, "newer")):
        path.write_text(content)
        with pytest.raises(Precondition, match=said) as refused:
            TokenFile(tmp_path).read()
        assert "anna" not in str(refused.value)
