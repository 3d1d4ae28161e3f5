"""Where DKIM keys come from: files and texts, mailcow, and keys made here."""
