"""The keys of the sandbox. They open nothing but it, so they are no secret and never change."""

from __future__ import annotations

CUSTOMER_NUMBER = "12345"
API_KEY = "SandboxLegacyApiKey0000000000000000000000000000000"  # 50 characters, as netcup's (1.2)
API_PASSWORD = "SandboxApiPassword000000000000000000000000000000000"  # noqa: S105
REST_KEY = "SandboxRestApiKey00000000000000000000000000000000000000000000000"  # 64 (2.2)
MAILCOW_API_KEY = "5A4DB0-0000A1-0000B2-0000C3-0000D4"  # read-only
MAILCOW_RW_KEY = "5A4DB0-0000A1-0000B2-0000C3-0000E5"  # read-write, which only a rotation needs
