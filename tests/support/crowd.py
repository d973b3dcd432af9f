"""Hooks of schemathesis: each request is another visitor's, handed on by a proxy, so that none asks too often."""

from itertools import count
from typing import Any

import schemathesis

_numbers = count()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    number = next(_numbers)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
