"""netcup's status codes in words: each row of the table in the facts (1.10)."""

from __future__ import annotations

import pytest

from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    ExitCode,
    MailauthError,
    NotServedError,
    WaitError,
    ZoneError,
)
from netcup_mailauth.netcup.ccp_wire import (
    SESSION_DEAD,
    Envelope,
    error_for,
    is_empty_zone,
    not_on_this_api,
)

BAD_NAME = "Value in field domainname does not match requirements of type: domainname. "
NO_KEY = "Api key missing. JSON decode failed while validating request."
NO_ACCOUNT = "Customer account not found. JSON decode failed while validating request."
RATE = (
    "More than 180 requests per minute. Please wait and retry later. Please contact our customer "
    "service to find out if the limitation of requests can be increased."
)
LOCKED = "Too many error messages, please check your commands. "
QUOTES = (
    "Please put quotation marks in front of a backslash. The name server automatically sets "
    "quotation marks at the beginning and end. "
)
MX = "MX record destination is incorrect. An example of a correct entry: mail.<domain>. "
NO_HOST = "der Host darf nicht leer sein oder aus Sonderzeichen bestehen"
NO_ZONE = "Can not get DNS records for zone.  Domain not found."
NOT_ALL = "Can not update (all) DNS records for zone."
NO_ZONE_WRITE = (
    "Can not update (all) DNS records for zone. The zone example.com could not be found."
)
EMPTY = "Can not get DNS records for zone.  The zone does not example.com contain any DNS records."
EMPTY_GERMAN = "Fehler. Die Zone example.com enthält keine DNS records."


def answer(code: int, message: str = "", status: str = "error") -> Envelope:
    return Envelope(
        status=status, statuscode=code, shortmessage="Validation Error.", longmessage=message
    )


def shown(error: MailauthError) -> str:
    return f"{error.what} {error.advice}"


@pytest.mark.parametrize(
    ("action", "code", "message", "sort", "exit_code", "words"),
    [
        ("infoDnsZone", 4001, "The session id is not in a valid format.", ApiError, 1, "session"),
        ("infoDnsZone", 4004, "", ApiError, 1, "session"),
        ("login", 4003, "no", CredentialsError, 4, "API key"),
        ("infoDnsZone", 4013, BAD_NAME, ZoneError, 5, "'example.com'"),
        ("updateDnsRecords", 4013, BAD_NAME, ZoneError, 5, "zone = "),
        ("login", 4013, NO_KEY, CredentialsError, 4, "API key"),
        ("login", 4013, NO_ACCOUNT, CredentialsError, 4, "API password"),
        ("infoDnsZone", 4013, NO_ACCOUNT, CredentialsError, 4, "API password"),
        ("login", 4013, "Something new", CredentialsError, 4, "Something new"),
        ("login", 4013, RATE, WaitError, 10, "can also mean a wrong key or password"),
        ("infoDnsRecords", 4013, RATE, WaitError, 10, "Wait a minute"),
        ("login", 4013, LOCKED, WaitError, 10, "15 minutes"),
        ("updateDnsRecords", 4013, LOCKED, WaitError, 10, "stop other programs"),
        ("updateDnsRecords", 4013, QUOTES, ApiError, 1, "refused a record of example.com"),
        ("updateDnsRecords", 4013, MX, ApiError, 1, "mail.<domain>"),
        ("updateDnsRecords", 4013, NO_HOST, ApiError, 1, NO_HOST),
        ("infoDnsZone", 4013, "Message is empty.", ApiError, 1, "Message is empty."),
        ("updateDnsRecords", 5028, NO_ZONE_WRITE, NotServedError, 5, "CloudDNS"),
        ("updateDnsRecords", 5028, NOT_ALL, ApiError, 1, "did not write all records of example"),
        ("infoDnsRecords", 5029, NO_ZONE, NotServedError, 5, "CloudDNS"),
        ("infoDnsZone", 5031, NO_ZONE, NotServedError, 5, "netcup's name servers"),
        ("infoDnsZone", 5016, "All Inputs must be UTF-8 encoded.", ApiError, 1, "UTF-8"),
        ("poll", 5006, "", ApiError, 1, "5006"),
        ("infoDnsZone", 4711, "Völlig neu", ApiError, 1, "Völlig neu"),
    ],
)
def test_what_each_code_means(
    action: str, code: int, message: str, sort: type[MailauthError], exit_code: int, words: str
) -> None:
    error = error_for(action, "example.com", answer(code, message))
    assert type(error) is sort
    assert error.exit_code == ExitCode(exit_code)
    assert words in shown(error)
    assert error.advice


def test_a_pending_write_is_named_as_that() -> None:
    """2002 means accepted, not done: no success (rule 5.3)."""
    error = error_for("updateDnsRecords", "example.com", answer(2002, status="pending"))
    assert type(error) is ApiError
    assert "pending 2002" in error.what


def test_the_rate_limit_blames_the_password_only_at_a_login() -> None:
    assert "password" not in shown(error_for("infoDnsZone", "example.com", answer(4013, RATE)))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("graver", "milder", "sort"),
    [
        (LOCKED, NO_ACCOUNT, WaitError),
        (LOCKED, RATE, WaitError),
        (LOCKED, BAD_NAME, WaitError),
        (NO_ACCOUNT, RATE, CredentialsError),
        (NO_ACCOUNT, BAD_NAME, CredentialsError),
        (NO_KEY, RATE, CredentialsError),
        (RATE, BAD_NAME, WaitError),
        (RATE, NO_HOST, WaitError),
        (BAD_NAME, QUOTES, ZoneError),
    ],
)
def test_of_several_messages_in_one_the_gravest_counts(
    graver: str, milder: str, sort: type[MailauthError], turned: bool
) -> None:
    """A lock-out grows with each try, and a wrong key is not put right by waiting a minute."""
    both = milder + graver if turned else graver + milder
    error = error_for("updateDnsRecords", "example.com", answer(4013, both))
    assert type(error) is sort
    alone = error_for("updateDnsRecords", "example.com", answer(4013, graver))
    assert error.advice == alone.advice


def test_what_ends_the_run() -> None:
    """Locked, limited or refused: every further domain would only make it worse."""
    ending = [error_for("x", "example.com", answer(4013, text)) for text in (LOCKED, RATE, NO_KEY)]
    going_on = [error_for("x", "example.com", answer(4013, text)) for text in (BAD_NAME, "?")]
    assert all(error.ends_run for error in ending)
    assert not any(error.ends_run for error in going_on)


@pytest.mark.parametrize(
    ("code", "message", "empty"),
    [
        (5029, EMPTY, True),
        (5029, EMPTY_GERMAN, True),
        (5029, NO_ZONE, False),
        (5029, "The zone x could NOT FOUND.", False),
        (5031, EMPTY, False),
        (2000, EMPTY, False),
    ],
)
def test_an_empty_zone_and_one_that_is_not_there(code: int, message: str, empty: bool) -> None:
    assert is_empty_zone(answer(code, message)) is empty


def test_a_zone_elsewhere_is_told_with_netcups_own_words() -> None:
    error = not_on_this_api("example.com", answer(5031, NO_ZONE))
    assert "example.com" in error.what
    assert "5031: Can not get DNS records for zone. Domain not found." in error.what


def test_without_a_long_message_the_short_one_is_shown() -> None:
    assert "Validation Error." in shown(error_for("infoDnsZone", "example.com", answer(4013)))


def test_only_a_dead_session_is_worth_another_login() -> None:
    assert set(SESSION_DEAD) == {4001, 4004}
