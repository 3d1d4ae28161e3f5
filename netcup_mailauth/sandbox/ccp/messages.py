"""The sentences netcup answers with, to the letter: blanks, spelling mistakes and all.

Those marked (guess) were never seen; their wording is ours. Nothing may depend on it.
"""

from __future__ import annotations

# 4013, shortmessage "Validation Error." (1.10)
RATE_LIMIT = (
    "More than 180 requests per minute. Please wait and retry later. Please contact our customer "
    "service to find out if the limitation of requests can be increased."
)
LOCKOUT = "Too many error messages, please check your commands. "
EMPTY = "Message is empty."
NO_API_KEY = "Api key missing. JSON decode failed while validating request."
NO_ACCOUNT = "Customer account not found. JSON decode failed while validating request."
DECODE_FAILED = "JSON decode failed while validating request."  # (guess) both of the above end so
QUOTATION = (
    "Please put quotation marks in front of a backslash. The name server automatically sets "
    "quotation marks at the beginning and end. "
)
HOSTNAME = "der Host darf nicht leer sein oder aus Sonderzeichen bestehen"
UNKNOWN_ACTION = "The requested action is not available. "  # (guess)
RESELLER_ACTION = "This action is available for domain resellers only. "  # (guess)
DNSSEC_PAUSE = "Enabling DNSSEC is possible every 24 hours. "  # (guess)
EMPTY_TXT = "TXT record destination must not be empty. "  # (guess)
TXT_TOO_LONG = "TXT record destination is too long. "  # (guess)
CAA_PARAMETERS = "CAA record destination is incorrect. "  # (guess)
BARE_DELETE = "Hostname, type and destination are required for each record. "  # (guess)

# 5028, updateDnsRecords
UPDATE_FAILED = "Can not update (all) DNS records for zone. "


def field_mismatch(field: str, kind: str) -> str:
    """A field that does not match the WSDL's pattern (L13; seen for `domainname`)."""
    return f"Value in field {field} does not match requirements of type: {kind}. "


def mx_destination(domain: str) -> str:
    """A priority or blank in the destination of an MX record (L31)."""
    return f"MX record destination is incorrect. An example of a correct entry: mail.{domain}. "


def bad_destination(kind: str) -> str:
    """Any other destination that cannot be (guess)."""
    return f"{kind} record destination is incorrect. "


def zone_not_found(domain: str) -> str:
    """Writing to a zone of somebody else, or one on CloudDNS (L14, L16)."""
    return f"{UPDATE_FAILED}The zone {domain} could not be found."


def zone_empty(domain: str, language: str) -> str:
    """Reading a zone without records (L15); the English sentence is garbled at netcup."""
    if language == "german":
        return f"Can not get DNS records for zone.  Die Zone {domain} enthält keine DNS records."
    return f"Can not get DNS records for zone.  The zone does not {domain} contain any DNS records."


def unknown_record(record_id: int | None) -> str:
    """An id that is not in the zone (L25, guess)."""
    return f"{UPDATE_FAILED}The record {record_id} could not be found."
