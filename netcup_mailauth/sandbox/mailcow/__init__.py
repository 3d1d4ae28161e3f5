"""The mailcow beside netcup: its DKIM keys and the API that tells them."""
