"""A plan, a zone or a result as text for people, and as Markdown for a merge request. Pure."""
