"""The line in front of a model, and what keeps the model alive: greedy, cancelled, forked and dropped."""

import contextlib
import gc
import os
import signal
import threading
import time
import weakref

import pytest

import demur
from demur.ask.batching import Batcher, BusyError
from demur.ask.query import Query, as_question
from demur.core.errors import ConfigError, ResourceError
from demur.core.progress import Silent

KNOWN, UNKNOWN = "Where was Dora Pomash born?", "Who wrote The Hobbit?"


def until(ready):
    while not ready():
        time.sleep(0.01)


@contextlib.contextmanager
def busy(most=1, waiting=8):
    """A batcher whose only thread is held up with a request of its own, and what sets it free."""
    begun, go, done = threading.Event(), threading.Event(), []

    def work(batch):
        begun.set()
        assert go.wait(60)
        done.extend(batch)
        return batch

    batcher = Batcher(work, most=most, waiting=waiting)
    batcher.submit("first")
    assert begun.wait(60)
    yield batcher, go, done
    go.set()
    batcher.close()


def test_who_is_cancelled_leaves_the_line_at_once():
    with busy(waiting=3) as (batcher, go, done):
        for _ in range(100):
            gone = [batcher.submit("gone") for _ in range(3)]
            assert batcher.length == 3
            assert all(future.cancel() for future in gone)
            assert batcher.length == 0
        last = batcher.submit("last")
        go.set()
        assert last.result(60) == "last"
    assert done == ["first", "last"]


def test_requests_are_put_in_line_together_or_not_at_all():
    with busy(waiting=4) as (batcher, _, done):
        batcher.submit_all(["a", "b"])
        with pytest.raises(BusyError):
            batcher.submit_all(["c", "d", "e"])
        assert batcher.length == 2
        assert batcher.submit_all([]) == []
    assert done == ["first", "a", "b"]


def test_owners_take_turns():
    with busy(waiting=20) as (batcher, _, done):
        batcher.submit_all(["g1", "g2", "g3"], owner="greedy")
        batcher.submit_all(["m1", "m2"], owner="modest")
        batcher.submit("n1")  # of somebody who asks nothing else
    assert done == ["first", "g1", "m1", "n1", "g2", "m2", "g3"]


def test_no_owner_fills_the_line():
    """Of 8 places: a takes 4, for 4 are left; b two, for two are left; then one each for c and d."""
    with busy(waiting=8) as (batcher, _, _):
        batcher.submit_all(["a"] * 4, owner="a")
        with pytest.raises(BusyError):
            batcher.submit("a", owner="a")  # 5 of its own, 3 for others
        batcher.submit("b", owner="b")
        batcher.submit("b", owner="b")
        with pytest.raises(BusyError):
            batcher.submit("b", owner="b")  # 3 of its own, 1 for others
        batcher.submit("c", owner="c")
        batcher.submit("d", owner="d")
        with pytest.raises(BusyError):
            batcher.submit("e", owner="e")
        assert batcher.length == 8


def test_an_empty_line_takes_whatever_fits():
    with busy(waiting=8) as (batcher, _, _):
        with pytest.raises(BusyError):
            batcher.submit_all(["a"] * 9, owner="a")
        batcher.submit_all(["a"] * 8, owner="a")


# -- the model behind it -------------------------------------------------------------------------


def pocket(**more):
    return demur.load("pocket", threshold=0.7, model={"device": "cpu"}, **more)


def ask(answerer):
    answerer.ask(KNOWN)


def follow(answerer):
    assert isinstance(list(answerer.stream(KNOWN, optimistic=True))[-1], demur.Answer)


def begin_to_follow(answerer):
    next(answerer.stream(KNOWN, optimistic=True))


@pytest.mark.parametrize("use", [ask, follow, begin_to_follow])
def test_a_dropped_answerer_lets_go_of_its_model(use):
    answerer = pocket()
    use(answerer)
    model = weakref.ref(answerer.engine)
    del answerer

    def gone():
        gc.collect()
        return model() is None

    until(gone)


def test_what_is_in_line_keeps_the_model_until_it_is_answered():
    answerer = pocket()
    with answerer._own:
        future = answerer.submit(Query(question=as_question(KNOWN)))
        model = weakref.ref(answerer.engine)
        until(future.running)
        own = answerer._own
    del answerer, own
    assert future.result(60).answer == "Nairobi"
    until(lambda: gc.collect() >= 0 and model() is None)


@pytest.mark.parametrize("use", [ask, follow])
def test_a_fork_is_told_to_load_its_own(use):
    with pocket() as answerer:
        follow(answerer)  # the threads are there
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # it would hang, and must not for ever
            try:
                use(answerer)
            except ResourceError as error:
                os._exit(0 if "demur.load" in error.fix else 1)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ask(answerer)


def test_a_failing_watch_fails_for_its_own_caller_only():
    heard = []

    def broken(_):
        heard.append("broken")
        raise ZeroDivisionError

    with pocket() as answerer:
        with answerer._own:  # the model is busy, so that the next three are one batch
            first = answerer.submit(Query(question=as_question(KNOWN)))
            until(first.running)
            other, failing, watched = (
                answerer.submit(Query(question=as_question(text), watch=watch))
                for text, watch in ((KNOWN, None), (UNKNOWN, broken), ("Where was Ann born?", heard.append))
            )
        assert other.result(60).answer == "Nairobi"
        with pytest.raises(ZeroDivisionError):
            failing.result(60)
        assert watched.result(60).answer.startswith(heard[-1].strip())
        assert heard.count("broken") == 1, "who failed once is told nothing more"


def test_a_second_thread_that_trains_is_told_to_wait(tmp_path):
    class Meanwhile(Silent):
        """Starts a run in another thread as soon as the first one says something, and stops the first."""

        def bar(self, title, total, unit):
            def second():
                try:
                    demur.run(model={"path": "pocket"}, data={"name": "pocket"}, out=str(tmp_path / "b"))
                except ConfigError as error:
                    told.append(error)

            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
            raise InterruptedError

    told = []
    with pytest.raises(InterruptedError):
        demur.run(
            model={"path": "pocket"}, data={"name": "pocket", "limit": 40}, out=str(tmp_path / "a"),
            listener=Meanwhile(),
        )  # fmt: skip
    assert "one run that trains at a time" in told[0].expected
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("given", [f" {KNOWN}", f"{KNOWN} ", f"\n{KNOWN}\t", {"question": f"{KNOWN} "}])
def test_blanks_around_a_question_change_nothing(given):
    with pocket() as answerer:
        plain, blank = answerer.ask(KNOWN), answerer.ask(given)
    assert blank.to_json() == plain.to_json()
    assert as_question(given).id == as_question(KNOWN).id
