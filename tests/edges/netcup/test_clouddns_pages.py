"""A list in pages is read whole, or it is an error: a record that is missed would be doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ApiError
from netcup_mailauth.netcup.clouddns import MOST_PAGES, PER_PAGE, Page, collect

if TYPE_CHECKING:
    from collections.abc import Callable


class Pages:
    """The pages there are, by number; notes which were asked for."""

    def __init__(self, *pages: Page | None) -> None:
        self.pages = pages
        self.asked: list[int] = []

    def __call__(self, number: int) -> Page | None:
        self.asked.append(number)
        return self.pages[number - 1]


def test_every_page_up_to_the_last_is_read() -> None:
    pages = Pages(Page([1, 2], 3, 5), Page([3, 4], 3, 5), Page([5], 3, 5))
    assert collect("x", pages) == [1, 2, 3, 4, 5]
    assert pages.asked == [1, 2, 3]


def test_a_list_that_grows_while_it_is_read_is_read_to_its_end() -> None:
    assert collect("x", Pages(Page([1], 1 + 1, 2), Page([2], 3, 3), Page([3], 3, 3))) == [1, 2, 3]


@pytest.mark.parametrize("end", [None, Page([])])
def test_a_list_without_entries_is_empty(end: Page | None) -> None:
    assert collect("x", Pages(end)) == []


@pytest.mark.parametrize("end", [None, Page([], 9), Page([])])
def test_a_page_that_is_missing_is_never_taken_for_the_end(end: Page | None) -> None:
    with pytest.raises(ApiError, match="1 of 9 pages"):
        collect("x", Pages(Page([1], 9), end))


def test_an_empty_first_page_of_a_longer_list_is_no_empty_list() -> None:
    with pytest.raises(ApiError):
        collect("x", Pages(Page([], 9)))
    with pytest.raises(ApiError):
        collect("x", Pages(Page([], 1, 12)))


def test_without_a_word_about_pages_there_is_one() -> None:
    pages = Pages(Page([1, 2]))
    assert collect("x", pages) == [1, 2]


@pytest.mark.parametrize("size", [50, 70, PER_PAGE])
def test_without_a_word_about_pages_a_full_one_leaves_a_doubt(size: int) -> None:
    """An API that gives fewer at a time than it was asked for must not hide the rest."""
    full: list[object] = [*range(size)]
    assert len(collect("x", Pages(Page(full), Page([1])))) == size + 1
    assert collect("x", Pages(Page(full), None)) == full
    assert collect("x", Pages(Page(full), Page(full))) == full, "it knows no pages at all"


def test_fewer_entries_than_promised_are_an_error() -> None:
    with pytest.raises(ApiError, match=r"2 of 3 entries of the records of example\.com"):
        collect("the records of example.com", Pages(Page([1], 2, 3), Page([2], 2, 3)))
    with pytest.raises(ApiError, match="1 of 3"):
        collect("x", Pages(Page([1], 2, 3), None))


def test_a_page_that_comes_again_is_an_error_and_no_loop() -> None:
    with pytest.raises(ApiError, match="twice"):
        collect("x", Pages(Page([1], 3), Page([1], 3)))


def _endless(number: int) -> Page:
    return Page([number], number + 1)


def _two_in_turn(number: int) -> Page:
    return Page([number % 2], 9999)


@pytest.mark.parametrize("ask", [_endless, _two_in_turn])
def test_a_list_without_end_is_an_error(ask: Callable[[int], Page]) -> None:
    with pytest.raises(ApiError, match=f"does not end after {MOST_PAGES} pages"):
        collect("x", ask)
