"""The two APIs where netcup keeps zones. Only this package speaks HTTP to netcup."""
