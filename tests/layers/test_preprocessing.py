"""Layers that prepare data. Unless said otherwise the numbers are those that Keras 3.15.1 gives."""
import collections
import os
import pickle
import sys

import numpy as np
import pytest

import keras
from keras import layers
from keras.backend.state.variables import to_array
from keras.layers.preprocessing.data_layer import DataLayer
from keras.layers.preprocessing.hashes import fingerprint64, siphash

pytestmark = pytest.mark.on('numpy', 'jax', 'tensorflow')

FAST = [1936946117179621455, 3080236001339896852, 1897425971756105985, 3430003927990384362, 3111445875047318396,
        3046993373088323127, 4471793200125962424, 3688229565335330613, 2943411035554963419]
STRONG = [316627932347062996, 2734447641339851216, 3196519216900852167, 1592922254571014780, 3136530113171717642,
          3347663563349152873, 1805651083953470005, 1285846017453303239, 2223426216447929261]


def numbers(x):
    return np.asarray(x).tolist()


def adapted(layer, data, **options):
    layer.adapt(data, **options)
    return layer


# --- hashes

def test_hashes():
    # By TensorFlow 2.21, tf.strings.to_hash_bucket_fast and _strong of 2 ** 62 buckets.
    texts = [b'', b'A', b'abcd', b'12345678', b'seventeen letters', b'x' * 33, b'y' * 64, b'z' * 65, b'long ' * 40]
    assert [fingerprint64(text) % 2 ** 62 for text in texts] == FAST
    assert [siphash(text, (133, 137)) % 2 ** 62 for text in texts] == STRONG


# --- numbers

def test_normalization():
    layer = adapted(layers.Normalization(), np.arange(12.).reshape(4, 3))
    np.testing.assert_allclose(numbers(layer(np.ones((1, 3)))), [[-1.0434984, -1.3416408, -1.6397833]], rtol=1e-5)
    assert [tuple(weight.shape) for weight in layer.weights] == [(3,), (3,), ()] and not layer.trainable_weights
    back = layers.Normalization(mean=[4.5, 5.5, 6.5], variance=11.25, invert=True)
    np.testing.assert_allclose(numbers(back(layer(np.ones((1, 3))))), [[1, 1, 1]], rtol=1e-5)
    x = np.random.RandomState(0).rand(30, 4, 3, 2)
    whole = adapted(layers.Normalization(axis=(1, 2)), x)
    parts = adapted(layers.Normalization(axis=(1, 2)), (part for part in (x[:7], x[7:])))
    np.testing.assert_allclose(np.asarray(whole.mean), x.mean(axis=(0, 3), keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(whole(x)), np.asarray(parts(x)), atol=1e-5)
    assert layers.Normalization(axis=2, mean=np.arange(5.), variance=np.ones(5)).input_mean.shape == (5,)


@pytest.mark.parametrize('make, error, message', [
    (lambda: layers.Normalization(mean=1.0), ValueError, 'both `mean` and `variance`'),
    (lambda: layers.Normalization(axis=3).build((2, 2)), ValueError, 'All `axis` values must be in the range'),
    (lambda: layers.Normalization(axis=1).build((None, None)), ValueError, 'All `axis` values to be kept'),
    (lambda: adapted(layers.Normalization(), []), ValueError, 'empty iterable'),
    (lambda: adapted(layers.Normalization(), iter([42])), TypeError, '`.shape`'),
    (lambda: adapted(layers.Normalization(), iter([np.ones((2, 3)), np.ones((2, 4))])), ValueError,
     'incompatible shape'),
    (lambda: layers.Discretization(), ValueError, 'either `num_bins` or `bin_boundaries`'),
    (lambda: layers.Discretization([1.], num_bins=2), ValueError, 'Both `num_bins` and `bin_boundaries`'),
    (lambda: layers.Discretization(num_bins=2)(np.ones(2)), ValueError, 'You need to .* call `adapt'),
    (lambda: layers.CategoryEncoding(), ValueError, 'num_tokens must be set'),
    (lambda: layers.CategoryEncoding(3, 'other'), ValueError, 'Unknown arg for output_mode: other'),
    (lambda: layers.CategoryEncoding(3)(np.ones(2, int), count_weights=np.ones(2)), ValueError, 'is not used when'),
    (lambda: layers.Hashing(0), ValueError, 'cannot be `None` or non-positive'),
    (lambda: layers.Hashing(3, salt=[1]), ValueError, 'can only be a tuple of size 2'),
    (lambda: layers.Hashing(3, dtype='float32'), ValueError, 'should be an integer type'),
    (lambda: layers.Hashing(3, sparse=True), ValueError, '`sparse` may only be true if'),
    (lambda: layers.HashedCrossing(3)(np.ones(2)), ValueError, 'on a list or tuple of inputs'),
    (lambda: layers.HashedCrossing(3)([np.ones(2)]), ValueError, 'at least two inputs'),
    (lambda: layers.HashedCrossing(3)([np.ones((2, 2), int)] * 2), ValueError, 'inputs should have shape'),
    (lambda: layers.HashedCrossing(3)([np.ones(2)] * 2), ValueError, 'an integer or string dtype'),
    (lambda: layers.StringLookup(max_tokens=1), ValueError, '`max_tokens` must be greater than 1'),
    (lambda: layers.StringLookup(vocabulary=['a', 'a']), ValueError, 'at least one repeated term'),
    (lambda: layers.StringLookup(vocabulary='nowhere.txt'), ValueError, 'nowhere.txt does not exist'),
    (lambda: layers.StringLookup(vocabulary=['a', ''], mask_token=''), ValueError, 'reserved mask token'),
    (lambda: layers.StringLookup(vocabulary=['a', 'b'], max_tokens=2), ValueError, 'larger than the maximum'),
    (lambda: layers.StringLookup(vocabulary=[]), ValueError, 'empty vocabulary'),
    (lambda: layers.StringLookup(invert=True, output_mode='count'), ValueError, "must be `'int'` when `invert`"),
    (lambda: layers.StringLookup(pad_to_max_tokens=True), ValueError, 'must set `max_tokens`'),
    (lambda: layers.StringLookup()(['a']), RuntimeError, 'you must set the layer\'s vocabulary'),
    (lambda: layers.StringLookup(vocabulary=['a'], num_oov_indices=0)(['b']), ValueError, 'found OOV values'),
    (lambda: adapted(layers.StringLookup(vocabulary=['a']), ['b']), ValueError, 'Cannot adapt layer'),
    (lambda: layers.IntegerLookup(salt=3), ValueError, '`salt` goes with'),
    (lambda: layers.TextVectorization(ngrams='x'), ValueError, '`ngrams` must be'),
    (lambda: layers.TextVectorization(standardize='x'), ValueError, '`standardize` must be one of'),
    (lambda: layers.TextVectorization(output_mode='count', output_sequence_length=3), ValueError, 'must not be set if'),
    (lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ValueError, 'only one of')])
def test_what_does_not_fit_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize('mode, expected', [
    ('int', [[0, 1, 1, 2, 3]]), ('multi_hot', [[1., 1., 1., 1.]]), ('count', [[1., 2., 1., 1.]])])
def test_discretization(mode, expected):
    layer = layers.Discretization([0., 1., 2.], output_mode=mode)
    assert numbers(layer(np.array([[-1., 0., .5, 1., 5.]]))) == expected
    assert tuple(layer(keras.Input((5,))).shape)[1:] == np.shape(expected)[1:]


def test_boundaries_from_data():
    data = np.random.RandomState(0).rand(200, 2)
    layer = adapted(layers.Discretization(num_bins=4), data)
    np.testing.assert_allclose(layer.bin_boundaries, [0.24442537, 0.50132406, 0.72704422], rtol=1e-6)
    parts = adapted(layers.Discretization(num_bins=4), iter([np.arange(150.), np.arange(150.) + 100]))
    np.testing.assert_allclose(parts.bin_boundaries, [73.9999313, 124.499985, 173.999985], rtol=1e-6)
    few = adapted(layers.Discretization(num_bins=4, epsilon=0.3), np.arange(20.))
    np.testing.assert_allclose(few.bin_boundaries, [5, 11], rtol=1e-6)
    again = layers.Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == layer.bin_boundaries and again.num_bins == 4


def test_rescaling_and_pictures():
    assert numbers(layers.Rescaling(0.5, offset=[1., 2.])(np.array([[2, 0]]))) == [[2., 2.]]
    picture = np.arange(24.).reshape(4, 6, 1)
    assert numbers(layers.Resizing(2, 2, crop_to_aspect_ratio=True)(picture[None]))[0] == [[[4.5], [6.5]],
                                                                                         [[16.5], [18.5]]]
    assert numbers(layers.Resizing(2, 2, pad_to_aspect_ratio=True)(picture)) == [[[1.], [4.]], [[19.], [22.]]]
    assert numbers(layers.CenterCrop(2, 2)(np.arange(25.).reshape(5, 5, 1))) == [[[6.], [7.]], [[11.], [12.]]]
    assert layers.CenterCrop(6, 6)(picture).shape == (6, 6, 1)


# --- categories

@pytest.mark.parametrize('mode, expected', [
    ('one_hot', [[[1., 0., 0.], [0., 0., 1.]], [[0., 0., 1.], [0., 0., 0.]]]),
    ('multi_hot', [[1., 0., 1.], [0., 0., 1.]]), ('count', [[1., 0., 1.], [0., 0., 1.]])])
def test_category_encoding(mode, expected):
    layer = layers.CategoryEncoding(3, output_mode=mode)
    assert numbers(layer(np.array([[0, 2], [2, 7]]))) == expected
    assert tuple(layer(keras.Input((2,), dtype='int32')).shape)[1:] == np.shape(expected)[1:]
    assert numbers(layers.CategoryEncoding(3, 'count')(np.array([[0, 1]]), count_weights=np.array([[2., .5]]))) == [
        [2., .5, 0.]]
    assert numbers(layers.CategoryEncoding(2, 'one_hot')(np.array([[1], [0]]))) == [[0., 1.], [1., 0.]]


def test_hashing():
    assert numbers(layers.Hashing(3)([['A'], ['B'], ['C'], ['D'], ['E']])) == [[1], [0], [1], [1], [2]]
    assert numbers(layers.Hashing(3)(np.array([0, 1, 2, 3, 4]))) == [1, 0, 1, 0, 2]
    assert numbers(layers.Hashing(3, salt=[133, 137])(['A', 'B', 'C', 'D', 'E'])) == [1, 2, 1, 0, 2]
    assert numbers(layers.Hashing(3, salt=133)(['A', 'B', 'C', 'D', 'E'])) == [0, 0, 2, 1, 0]
    assert numbers(layers.Hashing(3, mask_value='')(['A', 'B', '', 'C', 'D'])) == [1, 1, 0, 2, 2]
    assert numbers(layers.Hashing(3, output_mode='count')([['A', 'B'], ['C', 'A']])) == [[1., 1., 0.], [0., 2., 0.]]


def test_crossing():
    x = np.array(['A', 'B', 'A', 'B', 'A']), np.array([101, 101, 101, 102, 102])
    assert numbers(layers.HashedCrossing(5)(x)) == [1, 4, 1, 1, 3]
    assert numbers(layers.HashedCrossing(1000)((np.array([1, 2]), np.array([4, 5]), np.array([7, 8])))) == [380, 129]
    assert numbers(layers.HashedCrossing(5, output_mode='one_hot')((x[0][:2, None], x[1][:2, None]))) == [
        [0., 1., 0., 0., 0.], [0., 0., 0., 0., 1.]]


# --- vocabularies

def test_string_lookup():
    known = ['a', 'b']
    assert numbers(layers.StringLookup(vocabulary=known)([['a', 'z'], ['b', '']])) == [[1, 0], [2, 0]]
    masked = layers.StringLookup(vocabulary=known, mask_token='')
    assert numbers(masked([['a', 'z'], ['b', '']])) == [[2, 1], [3, 0]]
    assert masked.get_vocabulary() == ['', '[UNK]', 'a', 'b'] and masked.vocabulary_size() == 4
    assert masked.get_vocabulary(include_special_tokens=False) == known
    several = layers.StringLookup(vocabulary=known, num_oov_indices=3)
    assert numbers(several(['a', 'x', 'y', 'z', 'w'])) == [3, 2, 2, 1, 2]
    found = layers.StringLookup(vocabulary=known, invert=True, mask_token='')(np.array([0, 1, 2, 7]))
    assert [text if isinstance(text, str) else text.decode() for text in np.asarray(found).tolist()] == [
        '', '[UNK]', 'a', '[UNK]']


@pytest.mark.parametrize('mode, expected', [
    ('one_hot', [[[0., 1., 0.], [1., 0., 0.], [0., 1., 0.]]]), ('multi_hot', [[1., 1., 0.]]),
    ('count', [[1., 2., 0.]])])
def test_rows_of_a_lookup(mode, expected):
    assert numbers(layers.StringLookup(vocabulary=['a', 'b'], output_mode=mode)([['a', 'z', 'a']])) == expected


def test_vocabularies_from_data(tmp_path):
    assert adapted(layers.StringLookup(), np.array([['a', 'z'], ['b', 'b']])).get_vocabulary() == [
        '[UNK]', 'b', 'z', 'a']
    assert adapted(layers.StringLookup(max_tokens=3), ['a', 'b', 'b', 'c', 'c', 'c']).get_vocabulary() == [
        '[UNK]', 'c', 'b']
    assert adapted(layers.IntegerLookup(), iter([np.array([12, 1, 1]), np.array([3, 3, 3])])).get_vocabulary() == [
        -1, 3, 1, 12]
    assert adapted(layers.StringLookup(), iter([['a'], ['b']]), steps=1).get_vocabulary() == ['[UNK]', 'a']
    weighted = adapted(layers.StringLookup(output_mode='tf_idf'), np.array([['a', 'z', 'a'], ['b', 'b', 'c']]))
    np.testing.assert_allclose(numbers(weighted(np.array([['a', 'b', 'q'], ['b', 'b', 'c']]))), [
        [.6931472, .6931472, .6931472, 0., 0.], [0., 1.3862944, 0., 0., .6931472]], rtol=1e-5)
    (tmp_path / 'words.txt').write_text('x\ny\n')
    layer = layers.StringLookup(vocabulary=str(tmp_path / 'words.txt'))
    assert layer.get_vocabulary() == ['[UNK]', 'x', 'y']
    layer.save_assets(str(tmp_path))
    other = layers.StringLookup()
    other.load_assets(str(tmp_path))
    assert other.get_vocabulary() == layer.get_vocabulary() == pickle.loads(pickle.dumps(layer)).get_vocabulary()


def test_integer_lookup():
    assert numbers(layers.IntegerLookup(vocabulary=[12, 36])(np.array([[12, 99], [36, 0]]))) == [[1, 0], [2, 0]]
    assert numbers(layers.IntegerLookup(vocabulary=[7, 8], num_oov_indices=3)(np.array([7, -1, -2, 3, 4]))) == [
        3, 2, 1, 0, 1]
    assert numbers(layers.IntegerLookup(vocabulary=[7, 8], num_oov_indices=3, oov_method='farmhash')(
        np.array([7, 1, 2, 3, 4]))) == [3, 0, 1, 0, 2]
    assert numbers(layers.IntegerLookup(vocabulary=[7, 8], num_oov_indices=3, oov_method='farmhash', salt=9)(
        np.array([7, 1, 2, 3, 4]))) == [3, 1, 2, 1, 2]
    assert numbers(layers.IntegerLookup(vocabulary=[7, 8], invert=True)(np.array([0, 1, 2, 9]))) == [-1, 7, 8, -1]


def test_text_vectorization():
    known = {'vocabulary': ['foo', 'bar']}
    assert numbers(layers.TextVectorization(**known)(['foo x!', 'Bar'])) == [[2, 1], [3, 0]]
    assert numbers(layers.TextVectorization(**known)('foo x bar')) == [2, 1, 3]
    assert numbers(layers.TextVectorization(output_sequence_length=2, **known)([['foo x bar'], ['bar']])) == [[2, 1],
                                                                                                              [3, 0]]
    assert numbers(layers.TextVectorization(output_mode='multi_hot', **known)(['foo x', 'bar foo'])) == [[1., 1., 0.],
                                                                                                      [0., 1., 1.]]
    assert numbers(layers.TextVectorization(split='character', vocabulary=['a'])(['ab'])) == [[2, 1]]
    assert numbers(layers.TextVectorization(split=None, **known)([['foo'], ['x']])) == [[2], [1]]
    assert adapted(layers.TextVectorization(), ['Foo, bar!  baz', 'foo']).get_vocabulary() == [
        '', '[UNK]', 'foo', 'baz', 'bar']
    assert adapted(layers.TextVectorization(ngrams=2), ['foo bar baz']).get_vocabulary() == [
        '', '[UNK]', 'foo bar', 'foo', 'baz', 'bar baz', 'bar']
    assert adapted(layers.TextVectorization(), ["ÄÖ Straße’s it's"]).get_vocabulary() == [
        '', '[UNK]', 'ÄÖ', 'straße’s', 'its']
    found = adapted(layers.TextVectorization(output_mode='tf_idf'), ['Foo, bar!  baz', 'foo'])(['foo foo qux'])
    np.testing.assert_allclose(numbers(found), [[0.6323733, 1.0216513, 0., 0.]], rtol=1e-5)


# --- where they run

def test_in_models():
    x = np.array([[1., 7.], [3., 8.]], 'float32')
    model = keras.Sequential([keras.Input((2,)), adapted(layers.Normalization(), x), layers.Rescaling(2.)])
    np.testing.assert_allclose(model.predict(x), [[-2, -2], [2, 2]], rtol=1e-4)
    places = keras.Input((2,), dtype='int64')
    rows = layers.CategoryEncoding(4, output_mode='count')(layers.IntegerLookup(vocabulary=[7, 8])(places))
    model = keras.Model(places, [rows, layers.Hashing(3)(places)])
    found = model.predict(np.array([[7, 9], [8, 8]]))
    assert found[0].tolist() == [[1., 1., 0., 0.], [0., 0., 2., 0.]]
    assert found[1].tolist() == numbers(layers.Hashing(3)(np.array([[7, 9], [8, 8]])))


def test_in_models_of_strings():
    if os.environ['KERAS_BACKEND'] == 'jax':
        pytest.skip('JAX has no tensors of strings')
    words = keras.Input((1,), dtype='string')
    model = keras.Model(words, layers.TextVectorization(vocabulary=['a', 'b'], output_sequence_length=3)(words))
    assert model.predict(np.array([['a c b'], ['b']])).tolist() == [[2, 1, 3], [3, 0, 0]]


@pytest.mark.skipif(sys.version_info < (3, 7), reason='an old TensorFlow would keep MXNet from being loaded')
def test_in_pipelines_of_another_library():
    tf = pytest.importorskip('tensorflow')
    texts = tf.data.Dataset.from_tensor_slices(['a', 'b', 'z']).batch(2)
    assert [batch.numpy().tolist() for batch in texts.map(layers.StringLookup(vocabulary=['a', 'b']))] == [[1, 2], [0]]
    rows = tf.data.Dataset.from_tensor_slices(np.arange(6.).reshape(3, 2)).batch(3)
    layer = adapted(layers.Normalization(), rows)
    np.testing.assert_allclose(next(iter(rows.map(layer))).numpy(), np.asarray(layer(np.arange(6.).reshape(3, 2))),
                               rtol=1e-5)
    assert next(iter(rows.map(layers.Discretization([2.])))).numpy().tolist() == [[0, 0], [1, 1], [1, 1]]


@pytest.mark.parametrize('layer', [
    layers.Normalization(axis=(1, -1), mean=np.ones((2, 3)), variance=2.), layers.Discretization([1., 2.]),
    layers.CategoryEncoding(3), layers.Hashing(3, salt=1), layers.HashedCrossing(3), layers.Rescaling(0.5),
    layers.StringLookup(vocabulary=['a']), layers.IntegerLookup(vocabulary=[3], mask_token=0),
    layers.TextVectorization(vocabulary=['a'], ngrams=(1, 2)), layers.Resizing(2, 3), layers.CenterCrop(2, 3)],
    ids=lambda layer: type(layer).__name__)
def test_configs(layer):
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()


def test_a_layer_of_integers_takes_floats_as_they_are():
    inputs = keras.Input((3,))
    layer = keras.layers.Discretization([-1.0, 0.0, 0.5], dtype='int64')
    values = np.array([[-0.5, 0.4, 0.9]], 'float32')
    model = keras.Model(inputs, layer(inputs))
    for given in (layer(values), model(values), model.predict(values, verbose=0)):
        assert keras.ops.convert_to_numpy(given).tolist() == [[1, 2, 3]]


def many_lines():
    generator = np.random.RandomState(0)
    words = ['a', 'B', 'ab', 'ba', 'cc', "don't", 'x' * 300, 'Ab', '7', '-', 'aa']
    words += ['h\xe9', '\u0436\u0436', '\U0001f600']
    spaces = [' ', '\t', '\n', '  ', '\x1f', '\r\n', '\xa0', '\u2003', '\u3000', '\x85']
    return [''.join(word + spaces[generator.randint(10)] for word in generator.choice(words, generator.randint(0, 7)))
            for _ in range(2500)] + ['', ' ', 'ab', ' ab']


def words_of(line, standardize):
    line = line if standardize is None else line.lower()
    return (line.replace("'", '').replace('-', '') if standardize == 'lower_and_strip_punctuation' else line).split()


@pytest.mark.on('numpy')
@pytest.mark.parametrize('length, standardize', [(None, 'lower_and_strip_punctuation'), (4, 'lower'), (3, None)])
def test_many_texts_are_looked_up_word_by_word(length, standardize):
    lines = many_lines()
    vocabulary = ['ab', 'a', 'b', 'x' * 300, 'dont', 'aa', '\u0436\u0436']
    layer = layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=length, standardize=standardize)
    found = np.asarray(layer(lines))
    np.testing.assert_array_equal(np.asarray(layer(np.array(lines, object))), found)
    for line, row in zip(lines, found):
        expected = [vocabulary.index(word) + 2 if word in vocabulary else 1
                    for word in words_of(line, standardize)][:len(row)]
        assert row.tolist() == expected + [0] * (len(row) - len(expected))
    for foreign in ('\ud800 ab', '\0 ab'):  # neither goes by hashes
        others = np.asarray(layer(lines + [foreign]))
        np.testing.assert_array_equal(others[:-1], found)
        assert others[-1][:2].tolist() == [1, 2]
    layer.set_vocabulary(['b', 'ab'])
    np.testing.assert_array_equal(np.asarray(layer(['ab'] * 100))[:, 0], [3] * 100)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('standardize', ['lower_and_strip_punctuation', None])
def test_words_of_many_texts_are_counted(standardize):
    lines = many_lines()
    # So many words that they come into each other's places in tables, over several parts.
    lines += [' '.join('w%d' % number for number in range(start, start + 3)) for start in range(0, 66000, 3)]
    counts = collections.Counter(word for line in lines for word in words_of(line, standardize))
    for extra in ([], ['\0']):
        layer = layers.TextVectorization(standardize=standardize)
        layer.adapt(np.array(lines + extra, object))
        expected = counts + collections.Counter(extra)
        assert layer.get_vocabulary()[2:] == sorted(expected, key=lambda word: (expected[word], word), reverse=True)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('mode', ['multi_hot', 'count', 'tf_idf'])
def test_rows_of_many_texts(mode):
    lines, vocabulary = many_lines(), ['ab', 'a', 'cc', 'h\xe9']
    weights = {'idf_weights': [0.5, 2.0, 1.0, 3.0]} if mode == 'tf_idf' else {}
    layer = layers.TextVectorization(vocabulary=vocabulary, output_mode=mode, **weights)
    expected = np.zeros((len(lines), 5))
    for line, row in zip(lines, expected):
        for word in words_of(line, 'lower_and_strip_punctuation'):
            row[vocabulary.index(word) + 1 if word in vocabulary else 0] += 1
    if mode == 'multi_hot':
        expected = np.minimum(expected, 1)
    if mode == 'tf_idf':
        expected *= [6.5 / 4, 0.5, 2.0, 1.0, 3.0]  # the unknown weighs as much as all others in the mean
    np.testing.assert_allclose(np.asarray(layer(lines)), expected)


class Words(layers.Layer):
    """As KerasHub writes layers that take what they are given: strings, tensors of tf.data."""
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._convert_input_args = False
        self.types = []

    def call(self, x, start=0):
        self.types.append((type(x), type(start)))
        return x


def test_arguments_that_are_not_converted():
    layer, given = Words(), np.arange(3, dtype='float64')
    assert layer(given) is given and layer(['a', 'b'], start=given) == ['a', 'b']
    assert layer.types == [(np.ndarray, int), (list, np.ndarray)]


@pytest.mark.on('numpy', 'jax', 'torch', 'tensorflow')
def test_tensors_of_a_pipeline_that_are_not_converted():
    tf = pytest.importorskip('tensorflow')
    found = list(tf.data.Dataset.from_tensor_slices(['ab', 'c']).map(Words()))
    assert [one.numpy() for one in found] == [b'ab', b'c']


class Hues(DataLayer):
    """A layer of one's own for pipelines, written as Keras 3 documents it: `call` alone."""

    def call(self, inputs):
        return self.backend.numpy.add(self.backend.image.rgb_to_hsv(inputs), 1.0)


@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_data_layers_that_define_call_alone():
    red = np.zeros((2, 1, 1, 3), 'float32')
    red[..., 0] = 1.0
    wanted = np.broadcast_to(np.array([1.0, 2.0, 2.0], 'float32'), red.shape)
    np.testing.assert_allclose(to_array(Hues()(red)), wanted)
    x = layers.Input((1, 1, 3))
    np.testing.assert_allclose(keras.Model(x, Hues()(x)).predict(red, verbose=0), wanted)
    tf = pytest.importorskip('tensorflow')
    np.testing.assert_allclose(next(iter(tf.data.Dataset.from_tensors(red).map(Hues()))).numpy(), wanted)


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
@pytest.mark.parametrize('policy', ['bfloat16', 'mixed_bfloat16', 'mixed_float16'])
def test_rescaling_in_half_floats(policy):
    layer = layers.Rescaling([0.5, 0.25], offset=1.0, dtype=policy)
    x = np.array([[2.0, 8.0]], 'float32')
    np.testing.assert_allclose(np.asarray(to_array(layer(x)), 'float32'), [[2.0, 3.0]])
    inputs = layers.Input((2,))
    assert layer(inputs).dtype == policy.replace('mixed_', '')


@pytest.mark.on('numpy', 'tensorflow')
@pytest.mark.parametrize('dtype', [str, object])
def test_stacks_that_begin_with_text(dtype):
    """A `Sequential` without an `Input` takes the dtype of its texts, when it is called and in `predict`."""
    text = layers.TextVectorization(max_tokens=10, output_sequence_length=3)
    text.set_vocabulary(['baz', 'bar', 'foo'])
    model = keras.Sequential([text, layers.Embedding(5, 4)])
    lines = np.array([['foo qux bar'], ['qux baz']], dtype)
    called = to_array(model(lines))
    assert called.shape == (2, 3, 4) and model.inputs[0].dtype == 'string'
    np.testing.assert_array_equal(called, to_array(model.layers[1](np.array([[4, 1, 3], [1, 2, 0]]))))
    np.testing.assert_array_equal(model.predict(lines, verbose=0), called)


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_a_call_of_a_subclass_counts_in_pipelines_too():
    tf = pytest.importorskip('tensorflow')

    class Shifted(layers.Rescaling):
        def call(self, inputs):
            return super().call(inputs) - 2.0
    layer = Shifted(2.0)
    x = np.array([[1.0], [2.0]], 'float32')
    np.testing.assert_allclose(to_array(layer(x)), [[0.0], [2.0]])
    found = next(iter(tf.data.Dataset.from_tensor_slices(x).batch(2).map(layer)))
    np.testing.assert_allclose(found.numpy(), [[0.0], [2.0]])
