"""A signal waits for the work in hand, a second one does not."""

import os
import signal

import pytest

from demur.core import stopping
from demur.core.stopping import Stopped, asked_to_stop, finishing, stop_on_signals


@pytest.fixture(autouse=True)
def handlers():
    """Signals as the command line has them, put back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stop_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    stopping._asked, stopping._depth = None, 0


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_outside_of_a_unit_it_stops_at_once(number, code):
    with pytest.raises(Stopped) as stopped:
        send(number)
    assert stopped.value.code == code


def test_a_unit_is_finished_first(capfd):
    done = []
    with pytest.raises(Stopped) as stopped, finishing():
        assert not asked_to_stop()
        with finishing():
            send(signal.SIGTERM)
            done.append("inner")
        assert asked_to_stop()
        done.append("outer")
    assert done == ["inner", "outer"]
    assert stopped.value.code == 143
    assert "once more to stop at once" in capfd.readouterr().err


def test_a_second_signal_does_not_wait():
    done = []
    with pytest.raises(Stopped) as stopped, finishing():
        send(signal.SIGTERM)
        send(signal.SIGINT)
        done.append("never")
    assert (done, stopped.value.code) == ([], 130)


def test_a_failure_of_the_unit_is_not_hidden():
    with pytest.raises(ValueError, match="broken"), finishing():
        send(signal.SIGTERM)
        raise ValueError("broken")
