"""docs/engines.md says what the engine of the run declares."""
import importlib.util
import os

from keras.backend.table.entries import TABLE

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'docs', 'engines.py')
SPEC = importlib.util.spec_from_file_location('docs_engines', PATH)
page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(page)

DECLARED = {'engine': 'numpy', 'gradients': True, 'compiled': False, 'deferred': False, 'dynamic_sizes': False,
            'both_branches': False, 'data_format': 'channels_last', 'dtypes': ['float32'], 'unsupported': {}}


def test_the_column_of_this_engine_is_up_to_date(engine):
    column, declared = page.describe(engine)
    assert page.record().get(column) == declared, 'run `python docs/engines.py` in this environment'


def test_the_page_was_written_from_the_record():
    with open(page.PAGE, encoding='utf-8') as file:
        assert file.read() == page.render(page.in_order(page.record())), 'run `python docs/engines.py`'


def test_every_refusal_and_every_reason_is_on_the_page():
    text = page.render({'A': dict(DECLARED, unsupported={'qr': 'no QR here'}), 'B': dict(DECLARED, dtypes=['int8'])})
    assert '| `qr` | no (1) | yes |' in text and '\n1. no QR here\n' in text
    assert '| `float32` | yes |  |' in text and '| `int8` |  | yes |' in text
    assert '| trains | yes | yes |' in text


def test_operations_on_the_page_exist():
    """An operation is an entry of the table, a method of the contract, or a few words."""
    from keras.backend.contract.engine import Engine
    named = {name for declared in page.record().values() for name in declared['unsupported']}
    assert not [name for name in named if ' ' not in name and name not in TABLE and not hasattr(Engine, name)
                and name != 'string']
