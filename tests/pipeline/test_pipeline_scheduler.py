"""The scheduler: nothing starts before what it needs; nothing is shared beyond what there is."""

from hypothesis import given
from hypothesis import strategies as st

from mlctl.pipeline.scheduler import Scheduler, Slots
from mlctl.pipeline.spec import Settings

GB = 1 << 30


def drain(scheduler, running=()):
    """Start all that can start; finish in order; the order of starts."""
    order = []
    running = list(running)
    while not scheduler.done:
        while (started := scheduler.start_next()) is not None:
            order.append(started[0])
            running.append(started[0])
        scheduler.finish(running.pop(0))
    return order


@st.composite
def plans(draw):
    count = draw(st.integers(1, 10))
    needs = [
        draw(st.lists(st.integers(0, n - 1), unique=True, max_size=3)) if n else []
        for n in range(count)
    ]
    settings = [
        Settings(
            cpus=draw(st.integers(1, 3)),
            gpus=draw(st.integers(0, 2)),
            memory=draw(st.sampled_from([None, 2 * GB, 8 * GB])),
            mutex=tuple(draw(st.lists(st.sampled_from("ab"), unique=True, max_size=2))),
        )
        for _ in range(count)
    ]
    return needs, settings


@given(plans(), st.integers(1, 4), st.randoms())
def test_limits_hold_at_every_moment_and_all_gets_done(plan, jobs, random):
    needs, settings = plan
    scheduler = Scheduler(needs, settings, Slots(jobs, 8 * GB, ("0", "1")))
    finished, running = set(), {}
    while not scheduler.done:
        while (started := scheduler.start_next()) is not None:
            step, gpus = started
            assert finished.issuperset(needs[step])
            assert len(gpus) == settings[step].gpus
            running[step] = gpus
        assert running, "something can always run"
        assert len(running) <= jobs
        if len(running) > 1:
            assert sum(settings[s].cpus for s in running) <= jobs
            assert sum(settings[s].memory or 0 for s in running) <= 8 * GB
        held = [gpu for gpus in running.values() for gpu in gpus]
        assert len(held) == len(set(held))
        mutexes = [m for s in running for m in settings[s].mutex]
        assert len(mutexes) == len(set(mutexes))
        step = random.choice(sorted(running))
        del running[step]
        finished.add(step)
        scheduler.finish(step)
    assert finished == set(range(len(needs)))


@given(plans())
def test_one_job_at_a_time_is_the_serial_order(plan):
    needs, _ = plan
    scheduler = Scheduler(needs, [Settings()] * len(needs), Slots(1))
    assert drain(scheduler) == list(range(len(needs)))


def test_a_failure_drops_what_hangs_on_it_once():
    # 0 and 1 are both needed by 2; 3 stands alone
    scheduler = Scheduler([[], [], [0, 1], []], [Settings()] * 4, Slots(2))
    assert [scheduler.start_next()[0], scheduler.start_next()[0]] == [0, 1]
    assert scheduler.drop(0) == [2]
    assert scheduler.drop(1) == []
    assert scheduler.start_next() == (3, ())
    scheduler.finish(3)
    assert scheduler.done


def test_after_a_stop_nothing_starts():
    scheduler = Scheduler([[], [0], []], [Settings()] * 3, Slots(1))
    assert scheduler.start_next() == (0, ())
    assert scheduler.drop_rest() == [1, 2]
    assert scheduler.start_next() is None
    scheduler.finish(0)
    assert scheduler.done


def test_it_says_what_a_ready_stage_waits_for():
    settings = [
        Settings(mutex=("db",)),
        Settings(mutex=("db",)),
        Settings(gpus=1),
        Settings(cpus=9),
    ]
    scheduler = Scheduler([[]] * 4, settings, Slots(4))
    scheduler.start_next()
    assert scheduler.waits(50) == {1: "mutex db", 2: "a gpu", 3: "9 cpus"}


def test_what_comes_after_waits_for_an_end_of_either_kind():
    # 2 comes after 0 and 1, and needs neither: 0 ends well, 1 fails
    scheduler = Scheduler([[], [], []], [Settings()] * 3, Slots(3), after=[[], [], [0, 1]])
    assert [scheduler.start_next()[0], scheduler.start_next()[0]] == [0, 1]
    assert scheduler.start_next() is None
    scheduler.finish(0)
    assert scheduler.start_next() is None
    assert scheduler.drop(1) == []
    assert scheduler.start_next() == (2, ())


def test_what_comes_after_a_dropped_stage_does_not_wait_for_ever():
    # 1 needs 0, and 2 comes after 1: 0 fails
    scheduler = Scheduler([[], [0], []], [Settings()] * 3, Slots(2), after=[[], [], [1]])
    assert scheduler.start_next() == (0, ())
    assert scheduler.drop(0) == [1]
    assert scheduler.start_next() == (2, ())
    scheduler.finish(2)
    assert scheduler.done
