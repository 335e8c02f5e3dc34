from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cnnexp.errors import Interrupted
from cnnexp.fit.stopping import StopRequested, StopSignal

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def stop() -> Iterator[StopSignal]:
    before = {number: signal.getsignal(number) for number in BOTH}
    listening = StopSignal()
    listening.install()
    try:
        yield listening
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_the_first_signal_is_a_wish_and_the_second_an_end(stop: StopSignal, number: signal.Signals) -> None:
    assert not stop.wished
    signal.raise_signal(number)
    assert stop.wished
    with pytest.raises(Interrupted, match="last checkpoint"):
        signal.raise_signal(number)


def test_either_signal_may_be_the_second(stop: StopSignal) -> None:
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGINT)


def test_the_signals_are_given_back_to_whoever_had_them() -> None:
    before = {number: signal.getsignal(number) for number in BOTH}
    stop = StopSignal()
    stop.install()
    assert all(signal.getsignal(number) != before[number] for number in BOTH)
    stop.remove()
    assert {number: signal.getsignal(number) for number in BOTH} == before


def test_it_listens_again_after_something_else_took_the_signals(stop: StopSignal) -> None:
    def other(number: int, frame: Any) -> None:
        raise AssertionError("Lightning's own handler")

    signal.signal(signal.SIGTERM, other)
    stop.install()
    signal.raise_signal(signal.SIGTERM)
    assert stop.wished


def test_a_stop_says_what_it_is() -> None:
    stopped = StopRequested("stopped", 40)
    assert (stopped.status, stopped.step, str(stopped)) == ("stopped", 40, "stopped after step 40")
