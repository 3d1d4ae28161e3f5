"""The CCP JSON API: what is said, who is let in, what a call does, and how it may fail."""
