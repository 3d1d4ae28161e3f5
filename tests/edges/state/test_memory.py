"""What this machine remembers, as it is once the lock is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth import state
from netcup_mailauth.state.journal import Journal, Mark
from netcup_mailauth.state.memory import Memory
from tests.edges.state.entries import SPF, ZONE, change_set

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = "http://127.0.0.1:1/"


def test_the_first_that_another_run_wrote_here_is_known_once_the_lock_is_held(
    tmp_path: Path,
) -> None:
    """Its account had no folder when this run looked, and then asked a question for an hour."""

    def nobody(_of: Any) -> None:
        raise AssertionError

    environment = {"NETCUP_MAILAUTH_STATE_DIR": str(tmp_path)}
    memory = Memory(environment, {"NETCUP_CCP_ENDPOINT": ENDPOINT}, nobody, nobody)
    assert memory.zone("example.com") is None
    assert memory.held("example.com") == frozenset()
    journal = Journal(state.account_folder(state.root(environment), ENDPOINT, "abc"), "other")
    journal.mark(journal.begin(change_set(), ZONE), Mark.VERIFIED)
    with memory.lock(0.0):
        after = memory.zone("example.com")
    assert after is not None
    assert after.at("@", "TXT") != (SPF,)
