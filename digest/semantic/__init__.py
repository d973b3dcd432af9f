"""What texts mean, as vectors: the optional extra `semantic`, and the only place that knows its libraries."""

from digest.semantic.encoder import MAX_TOKENS, Encoder

__all__ = ["MAX_TOKENS", "Encoder"]
