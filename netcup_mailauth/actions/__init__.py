"""What a user does: the Python interface behind each command."""
