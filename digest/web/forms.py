"""Forms as browsers send them, whatever else is sent."""

import re
from contextlib import AbstractAsyncContextManager

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

_OTHER = re.compile(r"charset(?!\s*=\s*\"?utf-8\"?\s*(;|$))", re.IGNORECASE)


def form_of(request: Request) -> AbstractAsyncContextManager[FormData]:
    """The fields of a form; it is closed with the context.

    Raises:
        HTTPException: 400, it is said to be in another encoding than UTF-8: of Python's, some decode to what cannot be encoded
            again, or fail in ways of their own.
    """
    if _OTHER.search(request.headers.get("content-type", "")):
        raise HTTPException(400, "This form is not in UTF-8")
    return request.form()
