"""What trials leave behind is given back before it adds up, and not looked for where there is nothing."""

import gc
import weakref

from fulmen.search import memory


class Cycle:
    def __init__(self):
        self.itself = self


def test_cycles_go_once_memory_has_grown_and_not_before(monkeypatch):
    resident = iter([1000.0, 1000.0, 1050.0, 1070.0, 1010.0])
    monkeypatch.setattr(memory, "resident_mib", lambda: next(resident))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    gc.disable()
    try:
        kept = memory.Memory()
        assert kept.give_back(), "the first time shows what there is"
        left = Cycle()
        gone = weakref.ref(left)
        del left
        assert not kept.give_back()
        assert gone() is not None
        assert kept.give_back()
        assert gone() is None
        assert kept.least == 1010.0
    finally:
        gc.enable()


def test_where_the_system_does_not_say_it_is_looked_for_each_time(monkeypatch):
    monkeypatch.setattr(memory, "resident_mib", lambda: None)
    assert memory.Memory().give_back()
    assert memory.Memory().give_back()


def test_this_process_has_a_size():
    found = memory.resident_mib()
    assert found is None or 10 < found < 1e6
