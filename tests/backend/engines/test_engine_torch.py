"""What only the PyTorch engine promises: storage in place, leaf tensors, memory layout, random streams."""
import numpy as np
import pytest

from keras.backend.contract import loading as engines
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.composites import losses, nn, optimizers, random, rnn

if engines.engine_name() != 'torch':
    pytest.skip('tests of the torch engine', allow_module_level=True)
torch = pytest.importorskip('torch')


@pytest.fixture(autouse=True)
def torch_engine():
    with engines.use('torch') as engine:
        yield engine


def test_assignment_writes_in_place():
    variable = Variable([1.0, 2.0])
    storage = variable.storage
    variable.assign([3.0, 4.0])
    assert variable.storage is storage
    np.testing.assert_array_equal(storage.detach().numpy(), [3.0, 4.0])


def test_arrays_and_variables_are_not_shared_with_the_caller(torch_engine):
    array = np.ones(3, 'float32')
    tensor, variable = torch_engine.convert(array), Variable(array)
    before = torch_engine.to_numpy(variable.value)
    array[:] = 7
    variable.assign_add([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(tensor.numpy(), [1, 1, 1])
    np.testing.assert_array_equal(before, [1, 1, 1])


def test_trainable_variables_are_leaves_for_handwritten_loops():
    weight, count = Variable([2.0, 3.0]), Variable(0, dtype='int32')
    frozen = Variable([1.0], trainable=False)
    assert weight.value.requires_grad and weight.value.is_leaf
    assert not count.value.requires_grad and not frozen.value.requires_grad
    p.sum(p.multiply(weight.value, weight.value)).backward()
    np.testing.assert_array_equal(weight.grad.numpy(), [4.0, 6.0])
    optimizer = torch.optim.SGD([weight.value], lr=0.5)
    optimizer.step()
    np.testing.assert_array_equal(weight.numpy(), [0.0, 0.0])


def test_trainable_may_change_later(torch_engine):
    weight = Variable([2.0])
    weight.value
    weight.trainable = False
    assert not weight.value.requires_grad
    weight.trainable = True
    assert weight.value.requires_grad


def test_convolution_kernels_lie_in_memory_as_the_kernels_read_them(torch_engine):
    values = np.arange(3 * 2 * 4 * 5, dtype='float32').reshape(3, 2, 4, 5)
    variable = Variable(values, layout='conv_kernel')
    outer_first = variable.value.permute(3, 2, 0, 1)
    assert variable.value.is_leaf and tuple(variable.value.shape) == (3, 2, 4, 5)
    assert outer_first.is_contiguous(memory_format=torch.channels_last)
    strides = variable.value.stride()
    variable.assign(values + 1)
    assert variable.value.stride() == strides
    np.testing.assert_array_equal(variable.numpy(), values + 1)
    x = torch.rand(2, 7, 7, 4)
    (_, _), (gradient,) = torch_engine.value_and_grad(
        lambda: (p.sum(p.conv(x, variable.value, (1, 1), 'same', (1, 1))), None), [variable])
    assert gradient.stride() == strides


def test_images_stay_channels_last_in_memory():
    x, kernel = torch.rand(2, 9, 9, 4), torch.rand(3, 3, 4, 8)
    y = p.conv(x, kernel, (1, 1), 'same', (1, 1))
    assert y.is_contiguous()
    assert p.pool(y, (2, 2), (2, 2), 'same', 'max').is_contiguous()
    assert p.pool(y, (2, 2), (1, 1), 'valid', 'avg').is_contiguous()


def test_step_commits_all_writes_after_the_outputs(torch_engine):
    a, b = Variable([1.0]), Variable([2.0])
    storages = a.storage, b.storage

    def swap(x):
        before = a.value
        seen = p.add(before, x)
        a.assign(b.value)
        b.assign(before)
        return before, seen, a.value

    first, seen, second = torch_engine.step(swap, [a, b], [a, b])(np.array([10.0], 'float32'))
    assert (a.numpy(), b.numpy()) == (2.0, 1.0)
    assert (float(first), float(seen), float(second)) == (1.0, 11.0, 2.0)
    assert storages[0] is a.storage and storages[1] is b.storage
    assert not (first.requires_grad or seen.requires_grad)


def test_outputs_of_a_step_do_not_change_afterwards(torch_engine):
    weight = Variable(np.zeros((2, 3)))
    batch = np.ones((2, 2), 'float32')
    whole, row, same = torch_engine.step(lambda x: (weight.value, weight.value[0], x[1:]), [weight], [])(batch)
    weight.assign(np.ones((2, 3)))
    batch[:] = 5
    assert whole.sum() == 0 and row.sum() == 0
    np.testing.assert_array_equal(same.numpy(), [[1, 1]])


def test_a_failed_step_writes_nothing(torch_engine):
    weight = Variable([1.0])

    def fail():
        weight.assign([2.0])
        raise RuntimeError('stop')

    with pytest.raises(RuntimeError, match='stop'):
        torch_engine.step(fail, [weight], [weight])()
    assert weight.numpy() == 1.0


def test_value_and_grad(torch_engine):
    weight, frozen, unused = Variable([2.0, 3.0]), Variable([4.0, 5.0]), Variable([1.0])
    mean = Variable([0.0], trainable=False)

    def loss():
        product = p.multiply(weight.value, frozen.value)
        mean.assign(p.sum(product, None, True))
        return p.sum(p.multiply(product, product)), {'product': product}

    (value, aux), (gradient, nothing) = torch_engine.value_and_grad(loss, [weight, unused])
    assert float(value) == 8.0 ** 2 + 15.0 ** 2 and not value.requires_grad
    assert not aux['product'].requires_grad
    np.testing.assert_array_equal(gradient.numpy(), [2 * 8 * 4, 2 * 15 * 5])
    assert nothing is None
    np.testing.assert_array_equal(mean.numpy(), [23.0])
    assert not mean.value.requires_grad


def test_gradients_twice_in_one_step_see_the_first_update(torch_engine):
    weight = Variable([1.0])

    def descend():
        for _ in range(2):
            _, (gradient,) = torch_engine.value_and_grad(
                lambda: (p.sum(p.multiply(weight.value, weight.value)), None), [weight])
            weight.assign(p.subtract(weight.value, p.multiply(gradient, 0.25)))
        return weight.value

    assert float(torch_engine.step(descend, [weight], [weight])()) == 0.25
    assert weight.numpy() == 0.25


def test_seeds_give_a_reproducible_stream():
    def draw(generator):
        return [p.random_normal(generator.next(), (4,), 'float32').numpy() for _ in range(2)]

    generator = SeedGenerator(1337)
    first, again = draw(generator), draw(SeedGenerator(1337))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, draw(SeedGenerator(1338)))
    generator.state.assign(generator.initial_state())
    np.testing.assert_array_equal(first, draw(generator))


def test_a_plain_seed_gives_the_same_numbers_each_time():
    for seed in (np.array([3, 4], 'uint32'), torch.tensor([3, 4])):
        first = p.random_uniform(seed, (3,), 'float32')
        assert torch.equal(first, p.random_uniform(seed, (3,), 'float32'))
        assert not torch.equal(first, p.random_uniform(np.array([3, 5], 'uint32'), (3,), 'float32'))


def test_eval_shape_finds_the_unknown_sizes(torch_engine):
    weight = torch.nn.Linear(3, 4)
    variable = Variable(np.zeros(4))

    def call(x):
        return weight(x) + variable.value, x.sum(), x.reshape(-1)

    a, b, c = torch_engine.eval_shape(call, [AbstractTensor((None, 5, 3), 'float32')])
    assert (a.shape, a.dtype) == ((None, 5, 4), 'float32')
    assert b.shape == () and c.shape == (None,)


@pytest.mark.parametrize('stride', [1, 2, 3])
@pytest.mark.parametrize('window', [1, 2, 3, 4])
@pytest.mark.parametrize('mode', ['max', 'avg'])
def test_same_pooling_without_padding_copies(torch_engine, stride, window, mode):
    numpy_engine = engines.load_engine('numpy')
    for size in (4, 5, 6):
        x = np.random.RandomState(size).randn(2, size, size, 3).astype('float32')
        args = (window, window), (stride, stride), 'same', mode
        np.testing.assert_allclose(torch_engine.pool(torch.tensor(x), *args).numpy(), numpy_engine.pool(x, *args),
                                   rtol=1e-5, atol=1e-6)


def test_strings_are_refused_with_a_way_out(torch_engine):
    with pytest.raises(TypeError, match='strings'):
        torch_engine.convert(np.array(['a', 'b']))


def test_a_python_int_beside_integers_keeps_their_dtype(torch_engine):
    for dtype in ('int32', 'int64'):
        x = torch_engine.convert(np.array([3, -4]), dtype)
        for operation, expected in ((p.add, [5, -2]), (p.subtract, [1, -6]), (p.multiply, [6, -8])):
            result = operation(x, 2)
            assert torch_engine.dtype_of(result) == dtype
            np.testing.assert_array_equal(result.numpy(), expected)
    # PyTorch alone would wrap it around.
    wide = p.add(torch_engine.convert(np.array([1]), 'int32'), 2 ** 40)
    assert torch_engine.dtype_of(wide) == 'int64' and int(wide) == 2 ** 40 + 1


def test_every_number_that_is_no_class_is_refused_as_a_target(torch_engine):
    logits = torch_engine.convert(np.zeros((2, 3), 'float32'))
    for target in (-100, -1, 3):
        with pytest.raises((IndexError, RuntimeError)):
            losses.sparse_categorical_crossentropy(torch_engine.convert(np.array([0, target])), logits, True)


@pytest.mark.parametrize('order', 'CF')
def test_memory_of_a_variable_follows_from_its_shape(torch_engine, order):
    variable = Variable(np.asarray(np.arange(6.0).reshape(2, 3), 'float32', order))
    assert variable.storage.stride() == (3, 1)
    np.testing.assert_array_equal(variable.numpy(), [[0, 1, 2], [3, 4, 5]])


# --- overrides against the composites they stand for ---

def gradients_of(function, tensors):
    """The results of `function` and the gradients of a weighted sum of the first by the tensors."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    results = function(*leaves)
    results = results if isinstance(results, (list, tuple)) else [results]
    weights = torch.linspace(0.5, 1.5, results[0].numel()).reshape(results[0].shape)
    return [result.detach() for result in results] + list(torch.autograd.grad((results[0] * weights).sum(), leaves))


def assert_same(found, expected):
    assert len(found) == len(expected)
    for first, second in zip(found, expected):
        np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('shape,axis', [((8, 3), -1), ((2, 3, 4, 5), -1), ((2, 5, 3, 4), 1), ((2, 6, 3), 2)])
def test_fused_batch_normalization(shape, axis):
    x, offset, scale = torch.randn(shape), torch.randn(shape[axis]), torch.rand(shape[axis])

    def run(function):
        return gradients_of(lambda x, offset, scale: function(x, axis, offset, scale, 1e-3), [x, offset, scale])
    assert_same(run(nn.batch_normalization_train), run(nn.batch_normalization_train.entry.body))


def test_fused_batch_normalization_of_a_permuted_image():
    x, one = torch.randn(2, 3, 4, 5).permute(0, 2, 3, 1), torch.ones(3)
    found = nn.batch_normalization(x, one, one, -1, one, one, 1e-3)
    assert_same([found], [nn.batch_normalization.entry.body(x, one, one, -1, one, one, 1e-3)])


@pytest.mark.parametrize('go_backwards', [False, True])
@pytest.mark.parametrize('return_sequences', [False, True])
@pytest.mark.parametrize('bias', [False, True])
def test_fused_recurrence(go_backwards, return_sequences, bias):
    torch.manual_seed(0)
    for sequence, gates, states, rest in ((rnn.lstm_sequence, 4, 2, ()), (rnn.gru_sequence, 3, 1, (True,)),
                                          (rnn.simple_rnn_sequence, 1, 1, ())):
        tensors = [torch.randn(2, 5, 3)] + [torch.randn(2, 4)] * states
        tensors += [torch.randn(3, gates * 4), torch.randn(4, gates * 4)]
        if bias:
            tensors.append(torch.randn((2, gates * 4) if rest else (gates * 4,)))
        names = ('tanh',) if gates == 1 else ('tanh', 'sigmoid')

        def run(function):
            return gradients_of(lambda *args: function(*args, *(() if bias else (None,)), None, go_backwards,
                                                       return_sequences, *names, *rest), tensors)
        assert_same(run(sequence), run(sequence.entry.body))


@pytest.mark.parametrize('return_sequences', [False, True])
@pytest.mark.parametrize('lengths', [[5, 2, 4, 1], [2, 3, 3, 2], [0, 5, 1, 2]])
def test_fused_recurrence_of_rows_that_end_early(lengths, return_sequences):
    torch.manual_seed(0)
    mask = torch.arange(5)[None] < torch.tensor(lengths)[:, None]
    for sequence, gates, states, rest in ((rnn.lstm_sequence, 4, 2, (False,)), (rnn.gru_sequence, 3, 1, (True, False))):
        tensors = [torch.randn(4, 5, 3)] + [torch.randn(4, 4)] * states + [torch.randn(3, gates * 4),
                                                                           torch.randn(4, gates * 4)]
        tensors.append(torch.randn((2, gates * 4) if gates == 3 else (gates * 4,)))
        for rows in (mask, mask.flip(1)):  # that end early, and that begin late
            args = tensors + [rows, False, return_sequences, 'tanh', 'sigmoid'] + list(rest)
            with torch.no_grad():
                assert_same(sequence(*args), sequence.entry.body(*args))


def test_dropout_keeps_the_mean_and_follows_its_seed():
    x = torch.ones(200, 200)
    dropped = random.dropout(x, 0.25, None, 5)
    assert torch.equal(dropped, random.dropout(x, 0.25, None, 5))
    assert sorted(dropped.unique().tolist()) == pytest.approx([0.0, 1 / 0.75])
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)


def variables(generator, slots):
    shapes = [(3, 3, 2, 4), (5, 1), (4,)]
    trained = [Variable(generator.randn(*shape), layout='conv_kernel' if len(shape) == 4 else None) for shape in shapes]
    return [trained] + [[Variable(np.abs(generator.randn(*shape)), trainable=False) for shape in shapes]
                        for _ in range(slots)]


UPDATES = [
    (optimizers.sgd_update, 0, lambda v, g, rate, step: (v[0], g, None, rate)),
    (optimizers.sgd_update, 1, lambda v, g, rate, step: (v[0], g, v[1], rate, 0.9)),
    (optimizers.sgd_update, 1, lambda v, g, rate, step: (v[0], g, v[1], rate, 0.9, True)),
    (optimizers.rmsprop_update, 1, lambda v, g, rate, step: (v[0], g, v[1], rate, 0.9, 1e-3)),
    (optimizers.rmsprop_update, 1, lambda v, g, rate, step: (v[0], g, v[1], rate, 0.9, 1e-3, None, 0.0, None, True)),
    (optimizers.adam_update, 2, lambda v, g, rate, step: (v[0], g, v[1], v[2], step, rate, 0.9, 0.99, 1e-2)),
    (optimizers.adam_update, 3, lambda v, g, rate, step: (v[0], g, v[1], v[2], step, rate, 0.9, 0.99, 1e-2, v[3])),
    (optimizers.decay_weights, 0, lambda v, g, rate, step: (v[0], 0.1, rate)),
]


@pytest.mark.parametrize('pending', [False, True])
@pytest.mark.parametrize('update,slots,arguments', UPDATES)
def test_updates_in_place(torch_engine, update, slots, arguments, pending):
    """Two updates in one step, the first after an assignment where `pending`, leave what the composites leave."""
    results = []
    for function in (update, update.entry.body):
        generator = np.random.RandomState(0)
        state = variables(generator, slots)
        gradients = [torch.tensor(generator.randn(*variable.shape), dtype=torch.float32) for variable in state[0]]
        rate = Variable(0.1)

        def run():
            if pending:
                state[0][0].assign(p.multiply(state[0][0].value, 2.0))
            for step in (1.0, 2.0):
                function(*arguments(state, gradients, rate.value, torch.tensor(step)))
            return [p.multiply(variable.value, 1.0) for variable in state[0]]

        seen = torch_engine.step(run, [], [])()
        after = [torch.tensor(variable.numpy()) for group in state for variable in group]
        assert_same(seen, after[:3])
        results.append(after)
    assert_same(*results)


def test_updates_of_no_variables_do_nothing():
    optimizers.sgd_update([], [], None, 0.1)
    optimizers.adam_update([], [], [], [], torch.tensor(1.0), 0.1, 0.9, 0.999, 1e-7)


@pytest.mark.parametrize('largest', [False, True])
def test_adam_as_it_runs_on_a_gpu(torch_engine, monkeypatch, largest):
    """There nothing may be read back, so epsilon cannot be corrected for the fused kernel: list functions instead."""
    from keras.backend.engines.torch import updates as module
    update, slots, arguments = UPDATES[6 if largest else 5]
    results = []
    for gpu in (False, True):
        monkeypatch.setattr(module, 'CUDA', gpu)
        monkeypatch.setattr(module, '_rate', (lambda rate: rate) if gpu else module._rate)
        generator = np.random.RandomState(0)
        state = variables(generator, slots)
        gradients = [torch.tensor(generator.randn(*variable.shape), dtype=torch.float32) for variable in state[0]]
        update(*arguments(state, gradients, torch.tensor(0.1), torch.tensor(1.0)))
        results.append([torch.tensor(variable.numpy()) for group in state for variable in group])
    assert_same(*results)


def test_a_tensor_without_values_gets_the_device(torch_engine):
    """As in Keras 3, which makes an uninitialized one."""
    with torch.device('meta'):
        x = torch.ones(5)
    assert torch_engine.convert(x, None).device.type != 'meta'
    assert torch_engine.convert(x, 'float16').dtype == torch.float16


def test_complex_powers(torch_engine):
    z = np.array([1 + 2j, -3j], 'complex64')
    for exponent in (-2, 2, 0.5, 2j):
        found = p.power(torch_engine.convert(z), torch_engine.convert(np.array(exponent, 'complex64')))
        np.testing.assert_allclose(found.numpy(), z ** exponent, rtol=1e-4)
    # PyTorch refuses a negative number for integers, unless it is a tensor.
    ones = p.power(torch_engine.convert(np.array([1, -1], 'int32')), torch_engine.convert(np.array(-3, 'int32')))
    np.testing.assert_array_equal(ones.numpy(), [1, -1])
