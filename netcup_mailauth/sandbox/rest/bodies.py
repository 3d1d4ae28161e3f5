"""The JSON body of a call."""

from __future__ import annotations

import json
from typing import Any

from netcup_mailauth.sandbox.rest.answers import RefusedError, invalid


def read_object(body: bytes) -> dict[str, Any]:
    """The object a body holds.

    Raises:
        RefusedError: it holds none.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(invalid("The body is not valid JSON.")) from None
    if not isinstance(data, dict):
        raise RefusedError(invalid("The body must be an object."))
    return data
