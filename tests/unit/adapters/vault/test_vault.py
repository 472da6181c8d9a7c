"""The vault: which master key seals and which ones open, with settings, with a file, and in between."""

import os
from pathlib import Path

import pytest

from prosa.adapters.vault import master
from prosa.adapters.vault.file import KeyFile
from prosa.adapters.vault.master import fresh
from prosa.adapters.vault.vault import Vault
from prosa.domain.errors import MasterKeyMissing, MisconfiguredError
from prosa.domain.keys import Place

HERE = Place("provider_keys", "1", "openai", "operator")
ONE, TWO = "11" * 32, "22" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prosa.db.key"


def test_nothing_is_made_before_it_is_needed(file: Path) -> None:
    vault = Vault(None, None, file)
    assert vault.masters() == ()
    with pytest.raises(MasterKeyMissing):
        vault.open(Vault(ONE, None, None).seal("secret", HERE), HERE)
    assert not file.exists()


def test_the_file_is_made_once_and_for_its_owner_alone(file: Path) -> None:
    mask = os.umask(0)
    try:
        vault = Vault(None, None, file)
        vault.prepare()
    finally:
        os.umask(mask)
    assert file.stat().st_mode & 0o777 == 0o600
    sealed = vault.seal("secret", HERE)
    again = Vault(None, None, file)
    again.prepare()
    assert again.open(sealed, HERE) == "secret"
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("content", ["", "\n", "x", "1" * 63, "11" * 32 + " 2", "zz" * 32, "\u00e9"])
def test_a_file_that_holds_no_key(file: Path, content: str) -> None:
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(MisconfiguredError, match=r"prosa\.db\.key"):
        Vault(None, None, file).masters()
    assert file.read_text() == content


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o666])
def test_a_file_that_others_may_read(file: Path, mode: int) -> None:
    file.write_text(f"{ONE}\n")
    file.chmod(mode)
    with pytest.raises(MisconfiguredError, match="chmod 600"):
        Vault(None, None, file).masters()


def test_a_file_that_can_not_be_written(file: Path) -> None:
    with pytest.raises(MisconfiguredError, match="can't be written"):
        Vault(None, None, file.parent / "nowhere" / "key").prepare()


def test_what_a_killed_process_left_is_in_nobodys_way(file: Path) -> None:
    Path(f"{file}.new").write_text("half of a")
    KeyFile(file).write((fresh(),))
    assert len(KeyFile(file).read()) == 1
    assert not Path(f"{file}.new").exists()


def test_without_a_file_it_must_be_set() -> None:
    with pytest.raises(MisconfiguredError, match="PROSA_SECRET_KEY is not set"):
        Vault(None, None, None).prepare()
    vault = Vault(ONE, None, None)
    vault.prepare()
    assert vault.open(vault.seal("secret", HERE), HERE) == "secret"


def test_the_old_one_opens_and_the_new_one_seals() -> None:
    before = Vault(ONE, None, None).seal("secret", HERE)
    vault = Vault(TWO, ONE, None)
    assert vault.open(before, HERE) == "secret"
    assert vault.seal("secret", HERE).master == vault.masters()[0] == master.given(TWO).name
    vault.renew()
    vault.settle()
    assert vault.masters() == (master.given(TWO).name, master.given(ONE).name)
    with pytest.raises(MisconfiguredError, match="PROSA_SECRET_KEY_OLD"):
        Vault(ONE, None, None).renew()


def test_what_is_set_takes_the_place_of_the_file(file: Path) -> None:
    kept = Vault(None, None, file)
    kept.prepare()
    before = kept.seal("secret", HERE)
    vault = Vault(TWO, None, file)
    assert vault.open(before, HERE) == "secret"
    assert vault.seal("secret", HERE).master == master.given(TWO).name
    vault.renew()
    assert not vault.begun()
    assert KeyFile(file).read()[0].name == before.master


def test_a_rotation_of_the_file_can_be_left_at_any_point(file: Path) -> None:
    first = Vault(None, None, file)
    first.prepare()
    before = first.seal("secret", HERE)
    first.renew()
    for _ in range(2):  # as another process finds it, and calls again
        vault = Vault(None, None, file)
        assert vault.begun()
        assert vault.open(before, HERE) == "secret"
        assert vault.seal("secret", HERE).master != before.master
        vault.renew()
        assert len(vault.masters()) == 2
    after = vault.seal("secret", HERE)
    vault.settle()
    assert not vault.begun()
    last = Vault(None, None, file)
    assert last.open(after, HERE) == "secret"
    with pytest.raises(MasterKeyMissing):
        last.open(before, HERE)
