"""Check digits, calendars and numbering plans."""

import pytest

from hakushi.detect import postal
from hakushi.detect.rules import (
    birth_date,
    corporate_number,
    drivers_licence,
    email,
    iban,
    insurer_number,
    my_number,
    payment_card,
    phone,
    residence_card,
)


def test_one_in_eleven_or_so_of_all_numbers_is_a_my_number():
    passed = sum(my_number.prove(f"{n:012}") for n in range(123456000000, 123456010000))
    assert passed == 1000  # exactly one last digit for each eleven others


def test_a_changed_digit_or_a_swap_of_neighbours_breaks_a_my_number():
    good = "123456789018"
    assert my_number.prove(good)
    for i in range(11):
        wrong = good[:i] + str((int(good[i]) + 1) % 10) + good[i + 1 :]
        assert not my_number.prove(wrong)


def test_the_tax_agencys_own_number_is_a_corporate_number():
    assert corporate_number.prove("7000012050002")
    assert not corporate_number.prove("7000012050003")


def test_each_licence_has_one_check_digit():
    for body in ("3012345678", "4587518917"):
        assert sum(drivers_licence.prove(body + str(d) + "0") for d in range(10)) == 1


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("昭和64年1月7日", "1989-01-07"),
        ("平成元年1月8日", "1989-01-08"),
        ("平成31年4月30日", "2019-04-30"),
        ("令和元年5月1日", "2019-05-01"),
        ("大正15年12月24日", "1926-12-24"),
        ("S58.5.16", "1983-05-16"),
        ("h7.10.7", "1995-10-07"),
        ("1973/11/15", "1973-11-15"),
        ("19731115", "1973-11-15"),
        ("昭和五十八年五月十六日", "1983-05-16"),
        ("一九七三年十一月十五日", "1973-11-15"),
        ("2000年2月29日", "2000-02-29"),
    ],
)
def test_dates_of_every_era(written, date):
    assert birth_date.normal(written) == date


@pytest.mark.parametrize(
    "written",
    [
        "昭和64年1月8日",
        "平成元年1月7日",
        "平成31年5月1日",
        "令和元年4月30日",
        "1900/02/29",
        "2023/02/29",
        "1973/13/01",
        "1973/00/10",
        "S58.5.32",
        "昭和0年5月1日",
    ],
)
def test_dates_that_no_calendar_has(written):
    assert birth_date.normal(written) == ""


@pytest.mark.parametrize(
    "number", ["0312345678", "09012345678", "06012345678", "05012345678", "0120123456"]
)
def test_numbers_of_the_plan(number):
    assert phone.prove(number)


@pytest.mark.parametrize(
    "number", ["0450000000", "1234567890", "0012345678", "090123456", "03123456789"]
)
def test_numbers_outside_the_plan(number):
    assert not phone.prove(number)


def test_the_country_code_stands_for_zero():
    assert phone.normal("+81-90-1234-5678") == "09012345678"
    assert phone.normal("+81 (0)3 1234 5678") == "0312345678"


@pytest.mark.parametrize("address", ["a.b@example.co.jp", "x_1+tag@mail.example.com"])
def test_mail_addresses(address):
    assert email.prove(address)


@pytest.mark.parametrize("address", ["a@x.notatld", "a..b@example.jp", ".a@example.jp", "a@-x.jp"])
def test_no_mail_addresses(address):
    assert not email.prove(address)


def test_postal_codes_are_those_of_the_lists():
    assert all(postal.exists(code) for code in ("1000001", "0600000", "9071801", "1008914"))
    assert not any(
        postal.exists(code) for code in ("1009999", "0000001", "9999999", "100000", "٣٣")
    )
    assert postal.area("1009999")
    assert not postal.area("0001234")
    assert not postal.area("0081234")


@pytest.mark.parametrize("number", ["01040013", "33120015", "01130012"])
def test_insurers_own_numbers_have_the_check_digit_of_the_notice(number):
    assert insurer_number.prove(number)
    wrong = [number[:i] + str((int(number[i]) + 1) % 10) + number[i + 1 :] for i in range(8)]
    assert not any(map(insurer_number.prove, wrong))


def test_a_changed_digit_or_another_issuer_breaks_a_card_number():
    good = "4980237160548198"
    assert payment_card.prove(good)
    for i in range(1, 16):
        assert not payment_card.prove(good[:i] + str((int(good[i]) + 1) % 10) + good[i + 1 :])
    assert not any(payment_card.prove(f"7{n:015}") for n in range(1000))


@pytest.mark.parametrize(
    "number", ["4242424242424242", "4111111111111111", "378282246310005", "3566002020360505"]
)
def test_numbers_that_services_publish_for_testing_are_no_cards(number):
    assert not payment_card.prove(number)


@pytest.mark.parametrize(
    "number",
    ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606",
     "NL91ABNA0417164300", "CH9300762011623852957", "NO9386011117947", "BE68539007547034"],
)  # fmt: skip
def test_samples_of_the_iban_registry_are_ibans_and_their_neighbours_are_not(number):
    assert iban.prove(number)
    assert not iban.prove(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not iban.prove(number[:-1])
    assert not iban.prove("JP" + number[2:])


def test_drive_models_are_no_residence_cards():
    assert residence_card.prove("UH39027158EA")
    assert not residence_card.prove("ST92505610AS")
