"""Text as numbers; expected values counted by hand."""
import json
import math

import numpy as np
import pytest

from keras.preprocessing import text as T

pytestmark = pytest.mark.on('numpy')
TEXTS = ['The cat, sat on the-mat!', 'the Dog sat', ['A', 'cat']]


def fitted(**arguments):
    tokenizer = T.Tokenizer(**arguments)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def test_words():
    assert T.text_to_word_sequence('Hi there,\tyou-two!') == ['hi', 'there', 'you', 'two']
    assert T.text_to_word_sequence('Hi there', lower=False, split='e', filters='') == ['Hi th', 'r']
    assert T.text_to_word_sequence('one, two', split='::', filters=', ') == ['one', 'two']
    assert T.text_to_word_sequence('Äpfel, ÖL') == ['äpfel', 'öl']


def test_hashes():
    numbers = T.hashing_trick('one two one', 100, 'md5')
    assert numbers[0] == numbers[2] == int('f97c5d29941bfb1b2fdab0874906ab82', 16) % 99 + 1
    assert T.hashing_trick('ab c', 5, len) == [3, 2]
    assert T.one_hot('Ab c', 50) == [hash('ab') % 49 + 1, hash('c') % 49 + 1]
    assert T.one_hot('Ab c', 50, analyzer=list) == [hash(letter) % 49 + 1 for letter in 'Ab c']


def test_numbers_follow_frequency():
    tokenizer = fitted()
    assert tokenizer.word_index == {'the': 1, 'cat': 2, 'sat': 3, 'on': 4, 'mat': 5, 'dog': 6, 'a': 7}
    assert tokenizer.index_word == {number: word for word, number in tokenizer.word_index.items()}
    assert list(tokenizer.word_counts.items())[:3] == [('the', 3), ('cat', 2), ('sat', 2)]
    assert dict(tokenizer.word_docs) == {'the': 2, 'cat': 2, 'sat': 2, 'on': 1, 'mat': 1, 'dog': 1, 'a': 1}
    assert dict(tokenizer.index_docs) == {1: 2, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1, 7: 1}
    assert tokenizer.document_count == 3
    tokenizer.fit_on_texts(['mat mat mat mat'])
    assert tokenizer.word_index['mat'] == 1 and tokenizer.word_index['the'] == 2


@pytest.mark.parametrize('arguments, numbers, text', [
    ({}, [1, 2, 6], 'the cat dog'),
    ({'num_words': 3}, [1, 2], 'the cat'),
    ({'num_words': 3, 'oov_token': '?'}, [2, 1, 1, 1], 'the ? ? ?'),
    ({'oov_token': '?'}, [2, 3, 1, 7], 'the cat ? dog'),
])
def test_texts_and_numbers(arguments, numbers, text):
    tokenizer = fitted(**arguments)
    assert tokenizer.texts_to_sequences(['the cat flew dog', '']) == [numbers, []]
    assert tokenizer.sequences_to_texts([numbers]) == [text]
    assert list(tokenizer.texts_to_sequences_generator(iter(['the']))) == [numbers[:1]]


def test_numbers_that_are_no_word():
    assert fitted().sequences_to_texts([[1, 99, 2]]) == ['the cat']
    assert fitted(oov_token='?').sequences_to_texts([[2, 99]]) == ['the ?']
    assert fitted(oov_token='cat').texts_to_sequences(['the cat flew']) == [[2, 3, 3]]


def test_characters_and_analyzers():
    characters = T.Tokenizer(char_level=True)
    characters.fit_on_texts(['Aab'])
    assert characters.word_index == {'a': 1, 'b': 2} and characters.texts_to_sequences(['BA?']) == [[2, 1]]
    analyzed = T.Tokenizer(analyzer=lambda text: text.split('|'))
    analyzed.fit_on_texts(['A b|c'])
    assert analyzed.word_index == {'A b': 1, 'c': 2}
    cased = fitted(lower=False)
    assert cased.word_index['The'] != cased.word_index['the'] and cased.word_index['A']


def test_matrices():
    tokenizer = fitted(num_words=4)
    sequences = [[1, 2, 1, 6], [3]]
    np.testing.assert_array_equal(tokenizer.sequences_to_matrix(sequences), [[0, 1, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(tokenizer.sequences_to_matrix(sequences, 'count'), [[0, 2, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(tokenizer.sequences_to_matrix(sequences, 'freq'), [[0, .5, .25, 0], [0, 0, 0, 1]])
    weight = math.log(1 + 3 / (1 + 2))
    np.testing.assert_allclose(tokenizer.sequences_to_matrix(sequences, mode='tfidf'),
                               [[0, (1 + math.log(2)) * weight, weight, 0], [0, 0, 0, weight]])
    np.testing.assert_array_equal(fitted().texts_to_matrix(['dog']), [[0, 0, 0, 0, 0, 0, 1, 0]])
    from_numbers = T.Tokenizer(num_words=3)
    from_numbers.fit_on_sequences([[1, 2], [2, 2]])
    np.testing.assert_allclose(from_numbers.sequences_to_matrix([[2]], 'tfidf'), [[0, 0, math.log(1 + 2 / 3)]])


def test_json():
    tokenizer = fitted(num_words=5, oov_token='?')
    written = json.loads(tokenizer.to_json(indent=1))
    assert written['class_name'] == 'Tokenizer'
    assert json.loads(written['config']['index_docs'])['2'] == 2
    read = T.tokenizer_from_json(tokenizer.to_json())
    for name in ('num_words', 'oov_token', 'word_counts', 'word_docs', 'word_index', 'index_word', 'index_docs',
                 'document_count', 'filters', 'lower', 'split', 'char_level'):
        assert getattr(read, name) == getattr(tokenizer, name)
    read.fit_on_texts(['new words'])
    assert read.word_docs['new'] == 1


def test_refusals():
    with pytest.raises(TypeError, match="Unrecognized keyword arguments: .'size'"):
        T.Tokenizer(size=3)
    with pytest.warns(DeprecationWarning, match=r'Tokenizer\(num_words=7\)'):
        assert T.Tokenizer(nb_words=7).num_words == 7
    for call in (lambda t: t.texts_to_sequences(['a']), lambda t: t.sequences_to_texts([[1]])):
        with pytest.raises(ValueError, match=r'knows no words. Call fit_on_texts'):
            call(T.Tokenizer())
    with pytest.raises(ValueError, match='Specify a dimension'):
        T.Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match='before using tfidf mode'):
        T.Tokenizer(num_words=3).sequences_to_matrix([[1]], 'tfidf')
    with pytest.raises(ValueError, match="Unknown vectorization mode: 'bow'"):
        fitted().sequences_to_matrix([[1]], 'bow')


def test_what_is_no_list_of_texts_is_said():
    tokenizer = T.Tokenizer()
    with pytest.raises(TypeError, match='text number 1 is nan, expected a string'):
        tokenizer.fit_on_texts(['good', float('nan')])
    tokenizer = T.Tokenizer()
    with pytest.warns(UserWarning, match='A single text goes into a list'):
        tokenizer.fit_on_texts('one two')
    with pytest.raises(TypeError, match='text number 0 is None'):
        tokenizer.texts_to_sequences([None])
    characters = T.Tokenizer(char_level=True)
    characters.fit_on_texts('abca')
    assert characters.texts_to_sequences('cab') == [[3], [1], [2]]
