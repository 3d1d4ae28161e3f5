"""Many questions at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Item], Result], items: Sequence[Item], at_most: int
) -> list[Result]:
    """The results of ``function``, in the order of ``items``, worked out in threads.

    All threads have ended when this returns, so ``function`` must end by itself. What has not
    begun when one of them raises, or the user interrupts, is not begun.

    Args:
        function: what to do with an item.
        items: what to do it with.
        at_most: how many threads there may be.
    """
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(min(at_most, max(1, len(items))), thread_name_prefix="dnsio")
    try:
        return list(pool.map(function, items))
    finally:
        pool.shutdown(cancel_futures=True)
