"""What is not known for sure about netcup, as switches with one default each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Quirks:
    """Every behaviour of the sandbox that can be switched.

    The comment at each field names its fact and how sure it is: H traffic or documentation, M
    strong evidence, L inference, ? guess. A default is what the fact says, else the nastiest.

    Raises:
        ValueError: a field holds a value that is none of its choices.
    """

    # Answers
    compressed: Literal["when-asked", "never"] = "when-asked"  # 1.1 H: `Vary: Accept-Encoding`
    without_json: Literal["empty", "page"] = "empty"  # 1.1: a POST to the address without `?JSON`
    request_ids: Literal["varied", "28"] = "varied"  # B3 H: 17 to 29 characters; 28 in 2019
    empty_responsedata: Literal["string", "null", "list"] = "string"  # L3 H; null and [] by doc
    wrong_credentials: Literal["not-found", "rate-text"] = "not-found"  # L7 M
    empty_zone_language: Literal["english", "german"] = "english"  # L15 H, the German one seen once
    moved_zone: Literal["empty", "not-found", "known"] = "empty"  # L16 H; then 5031: L, by 4.2
    update_status: Literal["success", "warning", "pending"] = "success"  # 1.4: DOC allows them

    # Sessions
    first_call_4001: Literal["never", "once", "always"] = "never"  # L10 M: one-shot after login
    dead_session: Literal["format", "not-found"] = "format"  # L9 H; the second text, its code: ?

    # Limits
    lockout_after: int | None = 10  # L41 H that it exists, N ?: as many as a patient client makes

    # Records: what a write does
    bare_delete: Literal["refuse", "accept"] = "refuse"  # L28 ?: delete with only id
    on_error: Literal["partial", "atomic"] = "partial"  # L29 ?: what came before stays applied

    # Records: what becomes of a value
    txt_limit: int | None = None  # L30 M: 800 is fine; whether there is a maximum: ?
    txt_over_limit: Literal["refuse", "cut"] = "refuse"  # L30 ?

    # Records: how they are shown
    ties: Literal["stored", "shuffled"] = "stored"  # L19 H: same name is in no known order
    state_field: Literal["published", "always-unknown", "always-yes"] = "published"  # L37 L
    publish_delay: float = 600.0  # L38 H: how long a fresh record stays "unknown"

    # REST API: answers
    rest_bad_key: Literal[400, 401, 403] = 400  # R1 H; the others: L, with another code
    rest_unknown_domain: Literal["404", "empty", "null"] = "404"  # R3 H; one client expects success
    rest_managed: Literal["told", "always"] = "told"  # R4 M
    rest_per_page: int = 50  # R10 M
    rest_most_per_page: int = 100  # R10 ?: however many are asked for
    rest_pages: Literal["told", "no-last-page", "untold", "none"] = (
        "told"  # A2 M; none: all at once
    )
    rest_past_the_end: Literal["404", "empty", "null"] = "404"  # R3 H; the others: ?
    rest_revision_order: Literal["oldest-first", "newest-first"] = "oldest-first"  # R10 ?
    rest_revision_age: Literal["both", "serial", "date", "none"] = "both"  # 2.5 M: what tells it
    rest_times: Literal["seconds", "microseconds"] = "seconds"  # 2.5 ?: two may be the same
    rest_committed_state: str = "committed"  # R11, A5 ?
    rest_replaced_state: str = ""  # R11 ?: of what was committed before; empty is the same word
    rest_draft_state: str = "draft"  # R11, A5 ?
    rest_draft: Literal["none", "newest"] = "none"  # R11 ?: somebody's draft on top of every state
    rest_drafts: Literal["one", "many"] = "one"  # A5 M: a new one takes the place of the old
    rest_names: Literal["@", "empty", "fqdn", "fqdn-dot"] = "@"  # 2.5 ?: how names are shown
    rest_txt: Literal["split", "one-string", "unquoted"] = "split"  # R15 ?: how TXT is shown
    rest_targets: Literal["dot", "no-dot"] = "dot"  # 2.5 ?: how a CNAME or MX target is shown
    rest_mutable: Literal["false", "null"] = "false"  # R13 ?: the flag of what can be changed
    rest_rate: int | None = None  # R16 ?: calls in any 60 seconds, more are 429
    rest_retry_after: Literal["seconds", "date", "none"] = "seconds"  # R16 ?: the form in a 429

    # REST API: what a changeset does
    rest_changeset_status: Literal[200, 201] = 201  # R8 ?: as for a new ACME challenge (R5)
    rest_changeset_result: Literal["revision", "null"] = (
        "revision"  # R8 M; null: A4, H for a client
    )
    rest_left_out: Literal["empty", "refuse"] = (
        "empty"  # A4 H: a changeset without one of its lists
    )
    rest_strict_miss: Literal[422, 400, "ignore"] = 422  # R9 ?
    rest_name_match: Literal["as-shown", "any-form"] = "as-shown"  # R8 ?: the names of deletes
    rest_txt_taken: Literal["any", "split", "one-string"] = (
        "any"  # R15, A6 ?: a text over 255 bytes
    )
    rest_mixed_ttls: Literal["refuse", "accept"] = "accept"  # A10 ?: two in one RRset
    rest_default_ttl: int = 3600  # R14 L: what records have that were given none

    # mailcow
    mailcow_split_dkim: bool = False  # section 5: $SPLIT_DKIM_255, `dkim_txt` in quoted chunks
    mailcow_denies_ip: bool = False  # section 5: the key's allow-list does not hold us

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(Quirks).items():
            choices = get_args(hint) if get_origin(hint) is Literal else ()
            value = getattr(self, name)
            if choices and value not in choices:
                allowed = ", ".join(map(repr, choices))
                raise ValueError(f"quirk {name!r} is {value!r}; it must be one of {allowed}")
