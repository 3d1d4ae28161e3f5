"""The two APIs where netcup keeps zones. Only this package speaks HTTP to netcup.

Below, what is known of them without asking, and what a run may ask of them.
"""

CCP_ADDRESS = "https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON"
REST_ADDRESS = "https://api.netcup.com/v1"

CALLS = 170
WINDOW = 60.0
"""netcup answers the 181st call within a minute with an error (fact 1.11); ten are left to
other programs of the same account."""

MOST_CONNECTIONS = 32
"""Parallel jobs there may be; each request has a connection to itself."""
