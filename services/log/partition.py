"""Which partition a home lives in: the murmur2 of Kafka's Java clients, computed here and told to every producer.

Clients hash keys differently (librdkafka by CRC32), so no client is left to choose.
"""

from __future__ import annotations

from functools import lru_cache

_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C
_WORD = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit MurmurHash2 of some bytes as `org.apache.kafka.common.utils.Utils.murmur2` has it, without a sign."""
    length = len(data)
    hashed = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> 24) * _MULTIPLIER & _WORD
        hashed = hashed * _MULTIPLIER & _WORD ^ word
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _WORD
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _WORD
    return hashed ^ hashed >> 15


@lru_cache(maxsize=65_536)
def partition_of(home: str, partitions: int) -> int:
    """The partition of a home; the same for ever while the number of partitions is."""
    return (murmur2(home.encode()) & 0x7FFFFFFF) % partitions
