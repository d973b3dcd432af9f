"""Trending papers in your email inbox, once a day."""

import os

__version__ = "0.1.0"

# Said here, for it must be said before numpy is imported: matrices of this size are multiplied sooner by one thread, and each
# further one of BLAS has memory of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
