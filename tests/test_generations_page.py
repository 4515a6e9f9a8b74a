"""docs/generations.md says what the table in `keras/generations.py` says."""
import importlib.util
import os

import pytest

import keras
from keras import generations

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'docs', 'generations.py')
SPEC = importlib.util.spec_from_file_location('docs_generations', PATH)
page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(page)


def test_the_page_was_written_from_the_table():
    with open(page.PAGE, encoding='utf-8') as file:
        assert file.read() == page.render(), 'run `python docs/generations.py`'


def test_values_read_well():
    assert [page.cell(value) for value in (True, False, None, 0.01, 'sigmoid', 'with momentum')] == [
        'yes', 'no', '`None`', '`0.01`', '`sigmoid`', 'with momentum']


def found(address):
    thing = keras
    for part in address.split('.'):
        thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize('name', sorted(generations.ROWS))
def test_where_a_row_acts_exists(name):
    """`where` is the address of a class, method or function of keras; after commas others of the same module follow."""
    first, *others = generations.ROWS[name].where.split(', ')
    module = first.rpartition('.')[0]
    assert found(first) and all(found(other if '.' in other else '%s.%s' % (module, other)) for other in others)
