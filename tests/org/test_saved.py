"""A saved org that was damaged anywhere is refused, or is what it was: never anything else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorg.org import saved
from simorg.org.catalogue import OrgCatalogue


@pytest.fixture(scope="module")
def good(shared_catalogue: OrgCatalogue) -> Iterator[bytes]:
    org = shared_catalogue.create()
    shared_catalogue.snapshot(org.id, "kept")
    file = io.BytesIO()
    shared_catalogue.save(org.id, "kept", file)
    shared_catalogue.delete(org.id)
    yield file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


def unpacked(content: bytes, folder: Path) -> tuple[str, bytes]:
    """The org's id and its database."""
    file = folder / "file.simorg"
    file.write_bytes(content)
    manifest, database = saved.unpack(file, folder)
    found = database.read_bytes()
    database.unlink()
    return manifest.org.id, found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4
    ),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_damage(
    good: bytes, folder: Path, turned: list[tuple[float, int]], cut: float | None
) -> None:
    content = bytearray(good)
    for where, value in turned:
        content[int(where * len(content))] = value
    if cut is not None:
        del content[int(cut * len(content)) :]
    _, database = unpacked(good, folder)
    try:
        _, found = unpacked(bytes(content), folder)
    except saved.SavedRefused as error:
        assert str(error)
    else:
        assert found == database
    assert [path.name for path in folder.iterdir()] == ["file.simorg"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000))
def test_noise(folder: Path, content: bytes) -> None:
    with pytest.raises(saved.SavedRefused):
        unpacked(b"PK\x03\x04" + content, folder)
