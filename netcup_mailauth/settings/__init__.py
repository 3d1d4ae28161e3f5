"""What the user has set: config files, credentials, endpoints."""
