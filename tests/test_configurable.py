import json

import numpy as np
import pytest

from keras.configurable import Configurable, json_value


class Base(Configurable):
    later = ('flag',)

    def __init__(self, size, flag=False, **rest):
        super().__init__(**rest)
        self.declare(locals())
        self.size = int(self.size)


class Derived(Base):
    def __init__(self, size, shape=(1, 2), things=None, **kwargs):
        super().__init__(size, **kwargs)
        self.declare(locals())


class Closed(Derived):
    """Takes nothing but what it names."""

    def __init__(self, shape=(3,)):
        super().__init__(5, shape=shape)
        self.declare(locals())


class Silent(Derived):
    """Written in the manner of Keras 2: its own arguments are its own affair."""

    def __init__(self, size, more, **kwargs):
        self.more = more
        super(Silent, self).__init__(size, **kwargs)


class Handwritten(Silent):
    def get_config(self):
        return dict(super().get_config(), more=self.more)


def test_arguments_become_attributes_and_the_config():
    made = Derived('4', things=[1, 2])
    assert (made.size, made.flag, made.shape, made.things) == (4, False, (1, 2), [1, 2])
    assert made.get_config() == {'size': 4, 'shape': (1, 2), 'things': [1, 2]}
    again = Derived.from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert repr(Base(1)) == "<Base {'size': 1}>"


def test_arguments_of_later_generations_are_written_where_they_differ():
    assert Base(1, flag=True).get_config() == {'size': 1, 'flag': True}
    assert Derived(1, flag=True).get_config()['flag'] is True
    assert 'flag' not in Derived(1, flag=False).get_config()


def test_a_constructor_without_further_arguments_hides_those_of_the_base():
    made = Closed((7,))
    assert made.size == 5 and made.get_config() == {'shape': (7,)}
    assert Closed.from_config(made.get_config()).shape == (7,)


def test_constructors_that_do_not_keep_declare_nothing():
    assert Silent(1, 2).get_config() == {'size': 1, 'shape': (1, 2), 'things': None}
    made = Handwritten(1, more=2)
    assert made.get_config() == {'size': 1, 'shape': (1, 2), 'things': None, 'more': 2}
    assert Handwritten.from_config(made.get_config()).more == 2


def test_a_constructor_of_any_arguments():
    class Loose(Base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    assert Loose(3, flag=True).get_config() == {'size': 3, 'flag': True}


def test_an_argument_may_be_kept_under_another_name():
    class Own(Configurable):
        kept_as = {'size': 'extent'}

        def __init__(self, size):
            super().__init__()
            self.declare(locals())
            self.size = size * 100

    assert Own(3).extent == 3 and Own(3).get_config() == {'size': 3}


def test_plain_values():
    made = Derived(1, things={'a': np.array([1.5]), 'b': (Closed(), np.float32(0.5)), 'f': max})
    assert made.get_config()['things'] == {
        'a': [1.5], 'b': ({'class_name': 'Closed', 'config': {'shape': (3,)}}, 0.5), 'f': 'max'}


def test_attributes_set_later_are_what_the_config_says():
    made = Derived(1)
    made.shape = (9,)
    assert made.get_config()['shape'] == (9,)


def test_nothing_takes_more_than_it_says():
    class Bare(Configurable):
        pass

    assert Bare().get_config() == {}
    with pytest.raises(TypeError):
        Bare(1)
    with pytest.raises(TypeError):
        Base(1, wrong=2)


def test_the_constructor_has_to_call_that_of_the_base():
    class Alone(Configurable):
        def __init__(self, size):
            self.declare(locals())

    with pytest.raises(TypeError, match='Alone: a constructor that keeps its arguments has to call super'):
        Alone(1)


def test_json():
    assert json.loads(json.dumps({'a': np.float32(0.5), 'b': Closed(), 'c': max}, default=json_value)) == {
        'a': 0.5, 'b': {'class_name': 'Closed', 'config': {'shape': [3]}}, 'c': 'max'}
    with pytest.raises(TypeError, match='of type object cannot be written as JSON'):
        json.dumps({'a': object()}, default=json_value)
