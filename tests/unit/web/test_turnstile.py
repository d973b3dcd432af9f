"""Counting visitors in memory."""

from datetime import timedelta

from digest.allowance import Allowance
from digest.web import turnstile
from digest.web.turnstile import Turnstile

TWICE = (Allowance(2, timedelta(minutes=1)),)


def test_a_visitor_passes_as_often_as_he_may_and_again_later() -> None:
    now = [5.0]
    turned = Turnstile(TWICE, lambda: now[0])
    assert [turned.lets("ann") for _ in range(3)] == [True, True, False]
    now[0] += 30
    assert [turned.lets("ann") for _ in range(2)] == [True, False]


def test_one_visitor_takes_nothing_from_another() -> None:
    turned = Turnstile(TWICE, lambda: 0.0)
    assert [turned.lets("ann") for _ in range(3)][-1] is False
    assert turned.lets("bob")


def test_it_remembers_a_bounded_number_and_the_latest() -> None:
    turned = Turnstile(TWICE, lambda: 0.0)
    for _ in range(2):
        turned.lets("ann")
    for number in range(turnstile.REMEMBERED - 1):
        turned.lets(str(number))
    assert not turned.lets("ann")
    for number in range(turnstile.REMEMBERED):
        turned.lets(str(number))
    assert turned.lets("ann")


def test_looking_whether_somebody_might_pass_is_not_passing() -> None:
    now = [5.0]
    turned = Turnstile(TWICE, lambda: now[0])
    assert all(turned.is_open("ann") for _ in range(5))
    assert [turned.lets("ann") for _ in range(3)] == [True, True, False]
    assert not turned.is_open("ann")
    now[0] += 30
    assert turned.is_open("ann")
