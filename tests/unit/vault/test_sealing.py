"""What a sealed text withstands: known answers, moving, swapping, cutting, and length."""

from __future__ import annotations

import traceback
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, ValidationError

from events.envelope import canonical
from events.event import Event
from events.sealed import Clear, KeyKind, Sealable, Sealed, Under
from events.vocabulary import Value
from services.vault.keys import DataKey
from services.vault.memory import MemoryVault
from services.vault.refused import AlreadySealed
from services.vault.sealing import Sealer, open_text, padded, seal_text, step_into, unpadded

KEY = DataKey(UUID("00000000-0000-4000-8000-000000000001"), KeyKind.REPORT, AESGCM(bytes(range(32))))
STREAM = "report/00000000-0000-4000-8000-0000000000aa"
REPORT = Under(kind=KeyKind.REPORT, owner=UUID("00000000-0000-4000-8000-0000000000aa"))
TEXT = "Barahunze abantu ku musozi."


class Part(Value):
    note: Sealable | None = None


class Told(Event):
    """An event of these tests alone: sealed fields on every level."""

    name: ClassVar[str] = "test.told"

    text: Sealable
    named: Sealable | None = Field(default=None, alias="person_name")
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    words: dict[str, Sealable] = {}
    number: int = 0


class Counted(Event):
    name: ClassVar[str] = "test.counted"

    number: int


def clear(text: str, under: Under = REPORT) -> Clear:
    return Clear(text=SecretStr(text), under=under)


async def sealed_text(text: str) -> Sealed:
    (event,), _ = await Sealer(MemoryVault()).seal(STREAM, 1, [Told(text=clear(text))])
    assert isinstance(event.text, Sealed)
    return event.text


def test_aes_gcm_gives_the_published_answer() -> None:
    """Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)"."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    additional = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    answer = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
    )
    assert AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), text, additional) == answer


def test_a_text_seals_to_the_known_answer() -> None:
    """Computed apart from this code, by two libraries' raw AES-GCM over hand-written additional data and padding."""
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text", nonce=bytes(range(100, 112)))
    assert canonical(sealed.model_dump(mode="json", by_alias=True)) == (
        b'{"alg":"A256GCM","ct":"CnqsBxGcOORbQj6KuwseiGKpcyrmGYAd3biCyPujpUiU6UDATBKbBP3zeD_9QsrPG1uY5yBKQSj68azW74Gl'
        b'ihTSF4BIw8FBr_Qbp6HwAYA","kid":"00000000-0000-4000-8000-000000000001","nonce":"ZGVmZ2hpamtsbW5v","v":1}'
    )


def test_what_was_sealed_with_the_first_version_still_opens() -> None:
    recorded = Sealed.model_validate(
        {
            "v": 1,
            "alg": "A256GCM",
            "kid": "00000000-0000-4000-8000-000000000001",
            "nonce": "ZGVmZ2hpamtsbW5v",
            "ct": "CnqsBxGcOORbQj6KuwseiGKpcyrmGYAd3biCyPujpUiU6UDATBKbBP3zeD_9QsrPG1uY5yBKQSj68azW74GlihTSF4BIw8FBr_Q"
            "bp6HwAYA",
        }
    )
    assert open_text(recorded, KEY, STREAM, 1, "text") == TEXT


@pytest.mark.parametrize(
    ("stream", "version", "path"),
    [
        ("report/00000000-0000-4000-8000-0000000000ab", 1, "text"),
        ("case/00000000-0000-4000-8000-0000000000aa", 1, "text"),
        (STREAM, 2, "text"),
        (STREAM, 1, "place_words"),
        (STREAM, 1, "part.text"),
    ],
)
def test_a_moved_ciphertext_does_not_open(stream: str, version: int, path: str) -> None:
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text")
    assert open_text(sealed, KEY, STREAM, 1, "text") == TEXT
    with pytest.raises(InvalidTag):
        open_text(sealed, KEY, stream, version, path)


def test_a_ciphertext_opens_under_no_other_key_nor_the_same_secret_under_another_name() -> None:
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text")
    for other in (
        DataKey(KEY.key_id, KeyKind.REPORT, AESGCM(bytes(32))),
        DataKey(uuid4(), KeyKind.REPORT, KEY.cipher),
    ):
        with pytest.raises(InvalidTag):
            open_text(sealed, other, STREAM, 1, "text")


def test_two_swapped_ciphertexts_do_not_open() -> None:
    first = seal_text("one", KEY, STREAM, 1, "text")
    second = seal_text("two", KEY, STREAM, 2, "text")
    for sealed, version in ((second, 1), (first, 2)):
        with pytest.raises(InvalidTag):
            open_text(sealed, KEY, STREAM, version, "text")


@pytest.mark.parametrize("part", ["nonce", "ciphertext"])
def test_every_flipped_bit_is_noticed(part: str) -> None:
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text")
    text = getattr(sealed, part)
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        altered = sealed.model_copy(update={part: urlsafe_b64encode(flipped).decode().rstrip("=")})
        with pytest.raises(InvalidTag):
            open_text(altered, KEY, STREAM, 1, "text")


def test_every_cut_is_noticed() -> None:
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text")
    for length in range(len(sealed.ciphertext)):
        with pytest.raises((InvalidTag, ValueError)):
            open_text(sealed.model_copy(update={"ciphertext": sealed.ciphertext[:length]}), KEY, STREAM, 1, "text")


def test_a_second_spelling_of_the_same_bytes_does_not_open() -> None:
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text")
    last = sealed.ciphertext[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelled = sealed.ciphertext[:-1] + alphabet[alphabet.index(last) ^ 1]
    pad = "=" * (-len(respelled) % 4)
    assert urlsafe_b64decode(respelled + pad) == urlsafe_b64decode(sealed.ciphertext + pad)
    with pytest.raises(ValueError, match="one spelling"):
        open_text(sealed.model_copy(update={"ciphertext": respelled}), KEY, STREAM, 1, "text")


@pytest.mark.parametrize("change", [{"form": 2}, {"algorithm": "none"}])
def test_an_unknown_form_or_algorithm_is_not_opened(change: dict[str, object]) -> None:
    sealed = seal_text(TEXT, KEY, STREAM, 1, "text").model_copy(update=change)
    with pytest.raises(ValueError, match="form of sealing"):
        open_text(sealed, KEY, STREAM, 1, "text")


async def test_equal_texts_look_different() -> None:
    under = clear("the same words")
    (event,), key_ids = await Sealer(MemoryVault()).seal(
        STREAM, 1, [Told(text=under, named=under, parts=(Part(note=under), Part(note=under)))]
    )
    sealed = [event.text, event.named, *(part.note for part in event.parts)]
    assert len(key_ids) == 1
    assert len({value.ciphertext for value in sealed if isinstance(value, Sealed)}) == 4
    assert len({value.nonce for value in sealed if isinstance(value, Sealed)}) == 4


@pytest.mark.parametrize(
    ("bytes_of_text", "step"),
    [
        *((0, 64), (1, 64), (63, 64), (64, 128), (127, 128), (128, 256), (255, 256), (256, 512), (32_767, 32_768)),
        *((65_535, 65_536), (65_536, 131_072), (131_071, 131_072), (131_072, 196_608)),
    ],
)
def test_a_text_is_padded_to_its_step(bytes_of_text: int, step: int) -> None:
    assert len(padded("a" * bytes_of_text)) == step


@given(st.text(max_size=300))
def test_padding_gives_back_any_text(text: str) -> None:
    assert unpadded(padded(text)) == text


async def test_short_texts_have_one_length_on_the_wire() -> None:
    words = ["", "no", "sexual_violence", "state_forces", "Bujumbura, near the market"]
    assert len({len((await sealed_text(word)).ciphertext) for word in words}) == 1


async def test_every_text_on_every_level_is_sealed_and_opens_at_its_own_path() -> None:
    vault = MemoryVault()
    told = Told(
        text=clear("a"),
        named=clear("b"),
        part=Part(note=clear("c")),
        parts=(Part(), Part(note=clear("d"))),
        words={"x.y": clear("e")},
        later=clear("f"),
    )
    (first, second), key_ids = await Sealer(vault).seal(STREAM, 4, [told, told])
    (key_id,) = key_ids
    key = (await vault.open_keys([key_id]))[key_id]
    for version, event in ((4, first), (5, second)):
        data = event.wire_data()
        places = {
            "text": data["text"],
            "person_name": data["person_name"],
            "part.note": data["part"]["note"],
            "parts.1.note": data["parts"][1]["note"],
            "words.x~1y": data["words"]["x.y"],
            "later": data["later"],
        }
        opened = [open_text(Sealed.model_validate(value), key, STREAM, version, path) for path, value in places.items()]
        assert opened == ["a", "b", "c", "d", "e", "f"]


async def test_an_event_without_texts_is_left_as_it_is() -> None:
    plain = Counted(number=3)
    (event,), key_ids = await Sealer(MemoryVault()).seal(STREAM, 1, [plain])
    assert event is plain
    assert key_ids == frozenset()


async def test_a_person_has_another_key_in_each_stream() -> None:
    sealer, person = Sealer(MemoryVault()), Under(kind=KeyKind.PERSON, owner=uuid4())
    seen: set[UUID] = set()
    for stream in ("report/1", "report/2", "report/1"):
        _, key_ids = await sealer.seal(stream, 1, [Told(text=clear("a", person))])
        seen |= key_ids
    assert len(seen) == 2


async def test_a_text_sealed_for_another_event_is_refused() -> None:
    with pytest.raises(AlreadySealed, match=r"parts\.0\.note"):
        await Sealer(MemoryVault()).seal(STREAM, 1, [Told(text=clear("a"), parts=(Part(note=await sealed_text("b")),))])


async def test_a_text_that_was_forgotten_fails_to_be_written() -> None:
    sealed = await sealed_text("a")
    for forgotten in (
        Told(text=clear("CANARY")),
        Told(text=sealed, later=clear("CANARY")),
        Told(text=sealed).model_copy(update={"text": "CANARY"}),
        Told(text=sealed).model_copy(update={"parts": (Part().model_copy(update={"note": "CANARY"}),)}),
    ):
        with pytest.raises(ValueError, match="seal it first") as refused:
            forgotten.wire_data()
        assert "CANARY" not in "".join(traceback.format_exception(refused.value))


def test_a_plain_text_where_a_sealed_one_belongs_is_refused_and_not_quoted() -> None:
    with pytest.raises(ValidationError) as refused:
        Told.model_validate({"text": "CANARY"})
    assert "CANARY" not in str(refused.value)


def test_no_repr_shows_a_text_or_a_key() -> None:
    told = Told(text=clear("CANARY-TEXT"))
    shown = repr(told) + str(told) + repr(told.text) + repr(KEY) + f"{KEY}"
    assert "CANARY" not in shown
    assert "AESGCM" not in shown


def test_no_two_paths_meet() -> None:
    assert step_into(step_into("", "a"), "b") != step_into("", "a.b")
    assert step_into("", "a.b") != step_into("", "a~1b")
