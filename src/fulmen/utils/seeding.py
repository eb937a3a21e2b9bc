"""Seeds derived from seeds."""

import hashlib


def derived_seed(*parts: int | str) -> int:
    """A 63-bit seed that is a function of `parts` alone, on every machine and in every version of Python."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
