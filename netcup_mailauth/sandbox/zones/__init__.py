"""The zones of the account and their records, whichever API looks at them."""
