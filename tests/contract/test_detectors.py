"""Every registered detector keeps the contract of `Detector`, by its own examples."""

import random

import pytest
from tests.found import scan

from hakushi import detect
from hakushi.detect.prefilter import WIDE
from hakushi.media import Memory
from hakushi.model import Finding, Strength, Text

KEY = b"contract"
DETECTORS = detect.detectors()
YES = [(d, text, value) for d in DETECTORS for text, value in d.yes]
NO = [(d, text) for d in DETECTORS for text in d.no]


def labelled(kind, text):
    return [
        text[s.start : s.end]
        for s in detect.spans(Text(text), KEY)
        if s.kind == kind and s.strength is Strength.LABELLED
    ]


def name(case):
    return getattr(case, "kind", None)


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_it_says_where_its_rule_comes_from_and_has_examples(detector):
    assert detector.source
    assert len(detector.yes) >= 2
    assert len(detector.no) >= 2


@pytest.mark.parametrize(("detector", "text", "value"), YES, ids=name)
def test_it_finds_its_examples_exactly(detector, text, value):
    assert value in labelled(detector.kind, text)


@pytest.mark.parametrize(("detector", "text"), NO, ids=name)
def test_it_refuses_its_counter_examples(detector, text):
    assert labelled(detector.kind, text) == []


@pytest.mark.parametrize(("detector", "text", "value"), YES, ids=name)
def test_what_it_shows_is_masked(detector, text, value):
    (span,) = {
        s for s in map(Shown, detect.spans(Text(text), KEY)) if s.of(text) == (detector.kind, value)
    }
    assert span.masked != value
    assert "*" in span.masked
    shown = sum(c.isalnum() and c != "*" for c in span.masked)
    assert shown <= max(7, len(value) * 2 // 3)


class Shown:
    def __init__(self, span):
        self.masked = span.masked
        self.of = lambda text: (span.kind, text[span.start : span.end])


def encodings(text):
    for encoding in WIDE:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            continue
        yield encoding


@pytest.mark.parametrize("noise", ["zeros", "random"])
@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_it_wakes_the_prefilter_in_every_encoding(detector, noise):
    """Its first example, deep in bytes that are no text, is found where it lies."""
    text, value = detector.yes[0]
    for encoding in encodings(text):
        rng = random.Random(f"{detector.kind} {encoding}")
        fill = bytes if noise == "zeros" else rng.randbytes
        body = ("　\n" + text + "\n　").encode(encoding)
        for before in (4096, 4097):
            if encoding.startswith("utf-16") and before % 2 and noise == "zeros":
                continue  # an odd run of zeros before UTF-16 is text in the other byte order
            data = fill(before) + body + fill(4096)
            found = [f for f in scan(Memory(data), KEY) if isinstance(f, Finding)]
            mine = [f for f in found if f.kind == detector.kind]
            assert mine, f"{encoding} at {before}"
            want = value.encode(encoding)
            bytes_found = [data[f.extent.offset : f.extent.end] for f in mine]
            if encoding == "iso-2022-jp":
                continue  # its escapes belong to no character: bounds are checked by decoding
            assert want in bytes_found, f"{encoding} at {before}"


def test_kinds_are_the_names_of_the_contract():
    known = {
        "person_name",
        "kana_name",
        "birth_date",
        "address",
        "postal_code",
        "phone",
        "email",
        "my_number",
        "resident_code",
        "pension_number",
        "drivers_licence",
        "bank_account",
        "corporate_number",
        "firm_name",
        "payment_card",
        "iban",
        "residence_card",
        "passport",
        "insurer_number",
        "insured_symbol",
        "employment_insurance",
        "credential",
        "licence_plate",
        "age",
        "sex",
        "us_ssn",
        "ip_account",
        "official_form",
        "sensitive_form",
        "national_id",
    }
    assert set(detect.KINDS) <= known
    assert len(set(detect.KINDS)) == len(detect.KINDS)
