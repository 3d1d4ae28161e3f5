"""The houses of these tests can be struck by a crash before and after each write of a book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.files import write_private
from tests.rotation.houses import trapped

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="package")
def _books_have_traps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netcup_mailauth.rotation.state.write_private", trapped(write_private))
        yield
