"""Notes and cosignatures as C2SP has them: what others signed is verified here, and what is signed here by others."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.tlog.notes import Kind, Note, NoteRefused, Signer, Verifier, written
from services.tlog.offline.verify import USAGE, read_checkpoints
from tests.support.signed_logs import LogKey

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example of golang.org/x/mod/sumdb/note, where the format comes from."""

C2SP_COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeM"
    "cTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf"
    "5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
C2SP_NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3Ze"
    "kRwNtIc=\n"
)
TEXT = "example.org/log\n3\nrrm8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=\n"


def signer(word: str = "one", name: str = "example.org/log") -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(sha256(word.encode()).digest()))


def test_the_example_of_the_format_is_verified() -> None:
    key = Verifier.parse(GO_KEY)
    assert str(key) == GO_KEY
    assert Note.parse(written(GO_TEXT, GO_LINE)).signed_by([key]) == [key]
    with pytest.raises(NoteRefused, match="the signature of PeterNeumann does not fit"):
        Note.parse(written(GO_TEXT.replace("answer", "Answer"), GO_LINE)).signed_by([key])


def test_the_note_of_the_specification_is_read() -> None:
    note = Note.parse(C2SP_NOTE)
    assert note.text.split("\n")[1:] == ["trafitto da un raggio di sole:", "", "ed è subito sera.", ""]
    [signature] = note.signatures
    assert (signature.name, signature.number.hex()) == ("quasimodo.example/salvatore", "367ba04b")
    assert len(signature.signature) == 64


def test_a_checkpoint_of_the_specification_is_read_by_the_verifier_of_bundles() -> None:
    [stated] = read_checkpoints(C2SP_COSIGNED, "", USAGE)
    assert (stated.origin, stated.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert stated.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert [(name, len(signature)) for name, _, signature in stated.signatures] == [
        ("example.com/behind-the-sofa", 64),
        ("witness.example.com/w1", 8 + 64),
    ]


def test_a_cosigned_checkpoint_of_the_specification_is_read() -> None:
    note = Note.parse(C2SP_COSIGNED)
    log, witness = note.signatures
    assert note.text == "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert (log.name, len(log.signature)) == ("example.com/behind-the-sofa", 64)
    assert (witness.name, len(witness.signature)) == ("witness.example.com/w1", 8 + 64)
    assert int.from_bytes(witness.signature[:8]) == 1_679_315_147  # the time that its signed message shows


def test_what_is_signed_here_is_what_the_standards_alone_would_sign() -> None:
    ours, theirs = signer(), LogKey("one", "example.org/log")
    assert str(ours.verifier()) == theirs.vkey
    assert ours.sign(TEXT) == theirs.line(TEXT)
    witness, other = signer("two", "witness.example.org"), LogKey("two", "witness.example.org", 4)
    assert str(witness.verifier(Kind.COSIGNATURE)) == other.vkey
    assert witness.cosign(TEXT, 1_430_000_000) == other.line(TEXT)


def test_signatures_of_unknown_keys_are_passed_over_and_one_of_a_known_key_is_needed() -> None:
    log, witness, stranger = signer(), signer("two", "witness.example.org"), signer("three")
    whole = written(TEXT, stranger.sign(TEXT), log.sign(TEXT), witness.cosign(TEXT, 5))
    keys = [log.verifier(), witness.verifier(Kind.COSIGNATURE)]
    assert Note.parse(whole).signed_by(keys) == keys
    with pytest.raises(NoteRefused, match="no key that is known here"):
        Note.parse(written(TEXT, stranger.sign(TEXT))).signed_by(keys)


def test_a_cosignature_holds_for_its_moment_alone_and_is_no_signature_of_the_log() -> None:
    witness = signer()
    key = witness.verifier(Kind.COSIGNATURE)
    made = Note.parse(written(TEXT, witness.cosign(TEXT, 5))).signatures[0].signature
    assert key.accepts(TEXT, made)
    assert not key.accepts(TEXT, (6).to_bytes(8) + made[8:])
    assert not witness.verifier().accepts(TEXT, made)
    assert not key.accepts(TEXT, made[:-1])


def test_a_text_may_hold_empty_lines() -> None:
    text = "one\n\ntwo\n"
    assert Note.parse(written(text, signer().sign(text))).text == text


@pytest.mark.parametrize(
    "whole",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        written(TEXT, "- example.org/log AAAAAAAA\n"),
        written(TEXT, "— example.org/log AAAA\n"),
        written(TEXT, "— example.org/log !!!!\n"),
        written(TEXT, signer().sign(TEXT)).removesuffix("\n"),
        written("a\ttab\n", signer().sign("a\ttab\n")),
    ],
)
def test_what_is_no_signed_note_is_refused(whole: str) -> None:
    with pytest.raises(NoteRefused, match=r"this is no signed note|is no signature"):
        Note.parse(whole)


@pytest.mark.parametrize("text", ["", "PeterNeumann", GO_KEY[:-4], GO_KEY.replace("+ARpc", "+AhJc")])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused, match="this is no Ed25519 key"):
        Verifier.parse(text)


def test_the_number_of_another_key_is_told() -> None:
    with pytest.raises(NoteRefused, match="c74f20a4 does not belong to this key of PeterNeumann"):
        Verifier.parse(GO_KEY.replace("c74f20a3", "c74f20a4"))


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_no_note_could_carry_is_refused(name: str) -> None:
    with pytest.raises(NoteRefused, match="the name of a key"):
        signer(name=name)


def test_a_signer_shows_nothing_of_its_key() -> None:
    assert repr(signer()) == "Signer('example.org/log')"
