"""Asking DNS. dnspython is imported only when something is asked."""
