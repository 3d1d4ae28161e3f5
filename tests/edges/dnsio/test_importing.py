"""Importing the package costs nothing: most commands never ask DNS."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

from netcup_mailauth import dnsio


def test_nothing_heavy_is_imported_before_something_is_asked() -> None:
    modules = [
        f"netcup_mailauth.dnsio.{module.name}" for module in pkgutil.iter_modules(dnsio.__path__)
    ]
    heavy = "{'dns', 'socket', 'selectors', 'concurrent.futures', 'idna'}"
    code = f"import sys, {', '.join(modules)}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(modules) >= 2
    assert done.stdout == "[]\n"
