"""Modules of PyTorch as layers, and layers as modules of PyTorch."""
import copy
import os
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('torch')
X = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [2.0, 1.0, 1.0], [0.0, -1.0, 0.5]], 'float32')
Y = X[:, :2] - X[:, 1:]


def wrapped():
    from torch import nn
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def by_hand(module, steps):
    """The module after so many steps of gradient descent."""
    import torch
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(torch.from_numpy(X)), torch.from_numpy(Y)).backward()
        optimizer.step()
    return module


# --- modules as layers

def test_a_module_is_trained_as_pytorch_trains_it():
    module = wrapped()
    expected = by_hand(copy.deepcopy(module), 3)
    layer = layers.TorchModuleWrapper(module)
    model = keras.Sequential([keras.Input((3,)), layer])
    assert model.output_shape == (None, 2)
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (6, 3)
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    for name, tensor in expected.state_dict().items():
        np.testing.assert_allclose(module.state_dict()[name].numpy(), tensor.numpy(), 1e-4, 1e-6, err_msg=name)
    import torch
    outputs = expected.eval()(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(model.predict(X, verbose=0), outputs, rtol=1e-4, atol=1e-5)


def test_files_and_copies_of_a_wrapped_module(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.TorchModuleWrapper(wrapped())])
    path = str(tmp_path / 'model.keras')
    model.save(path)
    expected = model.predict(X, verbose=0)
    with pytest.raises(ValueError, match='safe_mode=False'):
        keras.models.load_model(path)
    for other in (keras.models.load_model(path, safe_mode=False), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(X, verbose=0), expected)
        other.compile('sgd', 'mse')
        other.fit(X, Y, verbose=0)
        np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_a_lazy_module_is_built_by_the_first_call():
    import torch
    layer = layers.TorchModuleWrapper(torch.nn.LazyLinear(5))
    assert not layer.weights
    assert tuple(layer(X).shape) == (4, 5) and [weight.shape for weight in layer.weights] == [(5, 3), (5,)]
    with pytest.raises(TypeError, match='must be a torch.nn.Module'):
        layers.TorchModuleWrapper(len)


def test_stateless_calls_leave_the_module_alone():
    layer = layers.TorchModuleWrapper(wrapped())
    frozen = [variable.value.clone() for variable in layer.non_trainable_variables]
    _, new = layer.stateless_call(layer.trainable_variables, frozen, keras.ops.convert_to_tensor(X), training=True)
    assert int(new[-1]) == 1 and int(frozen[-1]) == 0 and int(layer.non_trainable_variables[-1].numpy()) == 0


# --- layers as modules

def test_a_model_inside_of_a_torch_module_is_trained_by_its_optimizer():
    import torch
    from torch import nn
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
                              layers.Dense(2)])
    assert isinstance(model, nn.Module)
    module = wrapped()
    linear, norm, last = module
    model.layers[0].set_weights([linear.weight.detach().numpy().T, linear.bias.detach().numpy()])
    model.layers[2].set_weights([last.weight.detach().numpy().T, last.bias.detach().numpy()])
    ours = nn.Sequential(model, nn.Identity())
    ours.train()
    assert len(list(ours.parameters())) == 8
    by_hand(ours, 3)
    by_hand(module, 3)
    np.testing.assert_allclose(model.layers[0].get_weights()[0], linear.weight.detach().numpy().T, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.layers[1].get_weights()[2], norm.running_mean.numpy(), rtol=1e-4, atol=1e-6)
    ours.eval()
    with torch.no_grad():
        assert torch.equal(ours(torch.from_numpy(X)), ours(torch.from_numpy(X)))


def test_train_and_eval_reach_dropout():
    import torch
    layer = layers.Dropout(0.5)
    x = torch.ones(8, 8)
    assert torch.equal(layer(x), x) and layer.training is None
    assert not torch.equal(layer.train()(x), x) and layer.training is True
    assert torch.equal(layer.eval()(x), x) and not torch.equal(layer(x, training=True), x)


def test_states_of_modules():
    from torch import nn
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name='last')])
    outer = nn.Sequential(model, nn.Linear(2, 2))
    state = {name: tensor.clone() for name, tensor in outer.state_dict().items()}
    assert list(state) == ['0.last.kernel', '0.last.bias', '1.weight', '1.bias']
    model.set_weights([np.ones((3, 2)), np.ones(2)])
    outer.load_state_dict(state)
    np.testing.assert_array_equal(model.get_weights()[0], state['0.last.kernel'].numpy())
    with pytest.raises(RuntimeError, match='Missing key'):
        outer.load_state_dict({name: state[name] for name in state if 'bias' not in name})
    with pytest.raises(RuntimeError, match='Missing key'):
        model.load_state_dict({})
    assert outer.to('cpu') is outer
    # Names do not depend on what else the process has made.
    first, second = (keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1)]) for _ in range(2))
    assert list(first.state_dict()) == ['dense.kernel', 'dense.bias', 'dense_1.kernel', 'dense_1.bias']
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(second.get_weights()[2], first.get_weights()[2])
    zeros = {name: 0 * tensor for name, tensor in first.state_dict().items()}
    first.load_state_dict(zeros, assign=True)
    assert not any(array.any() for array in first.get_weights())
    assert first.get_parameter('dense.kernel') is first.layers[0].kernel.storage
    assert first.get_submodule('dense_1') is first.layers[1]


def test_names_of_parts_of_a_subclass_are_its_attributes():
    from torch import nn

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.others = layers.Dense(3), [layers.Dense(2, name='last')]

        def call(self, x):
            return self.others[0](self.first(x))
    model = Own()
    model(X)
    assert [name for name, _ in model.named_parameters()] == ['first.kernel', 'first.bias', 'last.kernel', 'last.bias']
    assert [name for name, _ in model.named_children()] == ['first', 'last']
    assert all(isinstance(tensor, nn.Parameter) for tensor in model.parameters())


@pytest.mark.parametrize('dtype', ['float64', 'bfloat16'])
def test_to_another_float_type(dtype):
    import torch
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation='relu'), layers.Dropout(0.5),
                              layers.Dense(2)])
    model.compile('adam', 'mse')
    model.fit(X, Y, verbose=0)
    kernel, bias, last, last_bias = [torch.from_numpy(array).double() for array in model.get_weights()]
    wanted = getattr(torch, dtype)
    assert model.to(wanted) is model and model.dtype == model.layers[1].compute_dtype == dtype
    outputs = model(torch.from_numpy(X).to(wanted))
    assert outputs.dtype is wanted
    expected = torch.relu(torch.from_numpy(X).double() @ kernel + bias) @ last + last_bias
    np.testing.assert_allclose(outputs.detach().double().numpy(), expected.numpy(), atol=0.1, rtol=0.05)
    if dtype == 'float64':
        np.testing.assert_allclose(outputs.detach().numpy(), expected.numpy(), rtol=1e-12)
    model.fit(X, Y, verbose=0)
    assert {weight.dtype for weight in model.weights} == {dtype}


def test_functional_calls_gradients_and_maps():
    import torch
    from torch.func import functional_call, grad, stack_module_state, vmap
    models = [keras.Sequential([keras.Input((3,)), layers.Dense(4, activation='tanh'), layers.Dense(2)])
              for _ in range(2)]
    model, x, y = models[0], torch.from_numpy(X), torch.from_numpy(Y)
    values = {name: tensor.detach() for name, tensor in model.named_parameters()}
    zeros = {name: torch.zeros_like(value) for name, value in values.items()}
    assert not functional_call(model, zeros, (x,)).any() and model.get_weights()[0].any()

    def loss(values, x, y):
        return torch.nn.functional.mse_loss(functional_call(model, values, (x,)), y)
    found = grad(loss)(values, x, y)
    loss(dict(model.named_parameters()), x, y).backward()
    for name, tensor in model.named_parameters():
        torch.testing.assert_close(found[name], tensor.grad)
    each = vmap(grad(lambda values, x, y: loss(values, x[None], y[None])), (None, 0, 0))(values, x, y)
    torch.testing.assert_close(each['dense.kernel'].mean(0), found['dense.kernel'])
    parameters, buffers = stack_module_state(models)
    base = copy.deepcopy(model).to('meta')
    outputs = vmap(lambda p, b: functional_call(base, (p, b), (x,)))(parameters, buffers)
    for one, output in zip(models, outputs):
        torch.testing.assert_close(output, one(x))
    fresh = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    assert torch.func.jacrev(fresh)(x[:1]).shape == (1, 2, 1, 3)  # its weights are made inside
    torch.testing.assert_close(fresh(x), x @ fresh.layers[0].kernel.value + fresh.layers[0].bias.value)


def test_hooks_run_in_calls_graphs_and_training():
    import torch
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])
    x, seen = torch.from_numpy(X), []

    def note(layer, args, output):
        seen.append((layer, tuple(output.shape)))
    handles = [model.layers[0].register_forward_hook(note),
               model.layers[1].register_forward_pre_hook(lambda layer, args: (args[0] * 0,)),
               model.register_forward_hook(lambda layer, args, output: seen.append(layer)),
               model.layers[1].register_full_backward_hook(lambda layer, inner, outer: seen.append('back'))]
    bias = model.layers[1].bias.value
    assert torch.equal(model(x), bias.expand(4, 2))
    assert seen == [(model.layers[0], (4, 4)), model]
    model(x).sum().backward()
    assert seen[-1] == 'back'
    del seen[:]
    model.compile('sgd', 'mse')
    model.fit(X, Y, batch_size=2, epochs=10, shuffle=False, verbose=0)
    assert [str(each) for each in seen[:3]] == [str((model.layers[0], (2, 4))), str(model), 'back']
    assert len(seen) == 60
    np.testing.assert_array_equal(model.predict(X, verbose=0), bias.detach().expand(4, 2).numpy())
    for handle in handles:
        handle.remove()
    del seen[:]
    assert not torch.equal(model(x), bias.expand(4, 2)) and not seen


def test_what_pytorch_makes_of_a_model():
    import io

    import torch
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation='relu'), layers.Dense(2)])
    x = torch.from_numpy(X)
    expected = model(x)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), expected)
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(model, (x,)), file)
    file.seek(0)
    torch.testing.assert_close(torch.jit.load(file)(x[:2]), expected[:2])
    torch.testing.assert_close(torch.compile(model, backend='eager')(x), expected)
    for reentrant in (False, True):
        inputs = x.clone().requires_grad_()
        torch.utils.checkpoint.checkpoint(model, inputs, use_reentrant=reentrant).sum().backward()
        found, inputs.grad = inputs.grad, None
        model(inputs).sum().backward()
        torch.testing.assert_close(found, inputs.grad)
    fresh = keras.Sequential([layers.Dense(2)])
    with torch.inference_mode():
        fresh(x)
    fresh.compile('sgd', 'mse')
    fresh.fit(X, Y, verbose=0)


def test_modules_in_attributes_become_layers():
    import torch
    from torch import nn

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.linear, self.norm = nn.Linear(3, 2), nn.BatchNorm1d(2)
            self.register_buffer('factor', torch.tensor(2.0))
            self.register_parameter('extra', nn.Parameter(torch.ones(2)))

        def call(self, x):
            return self.norm(self.linear(x)) * self.factor * self.extra
    with keras.config.generation(3):
        model = Own()
    assert isinstance(model.linear, layers.TorchModuleWrapper)
    before = model.norm.module.running_mean.clone()
    model(X, training=False)
    assert torch.equal(model.norm.module.running_mean, before)
    model(X)  # the module trains unless it is told otherwise, as PyTorch's do
    assert not torch.equal(model.norm.module.running_mean, before)
    assert len(model.trainable_weights) == 4
    assert [name for name, _ in model.named_parameters()] == [
        'extra', 'linear.module.weight', 'linear.module.bias', 'norm.module.weight', 'norm.module.bias']
    assert 'factor' in model.state_dict() and 'norm.module.running_mean' in model.state_dict()
    kernel = model.linear.module.weight.detach().clone()
    model.compile('sgd', 'mse')
    model.fit(X, Y, verbose=0)
    assert not torch.equal(model.linear.module.weight, kernel)
    model = Own()  # in Keras 2's they stay what they are, for loops of PyTorch
    assert type(model.linear) is nn.Linear
    assert [name for name, _ in model.named_parameters()] == [
        'extra', 'linear.weight', 'linear.bias', 'norm.weight', 'norm.bias']


def test_a_module_finds_the_model_among_its_attributes():
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.last = keras.Sequential([keras.Input((3,)), layers.Dense(2)]), nn.Linear(2, 1)

        def forward(self, x):
            return self.last(self.inner(x))
    assert len(list(Net().parameters())) == 4


def test_requires_grad_freezes_weights_for_loops_and_for_fit():
    import torch
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    model.layers[0].requires_grad_(False)
    model.layers[2].kernel.storage.requires_grad = False
    expected = model.layers[1].trainable_weights + model.layers[2].weights[1:]
    parameters = {id(tensor): tensor for tensor in model.parameters()}
    found = [weight for weight in model.weights if parameters[id(weight.storage)].requires_grad]
    assert set(map(id, found)) == set(map(id, expected))
    model(torch.from_numpy(X)).sum().backward()
    found = [weight for weight in model.weights if parameters[id(weight.storage)].grad is not None]
    assert set(map(id, found)) == set(map(id, expected))
    assert len(model.trainable_weights) == 4
    before = model.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before[:2], model.get_weights()[:2]))
    model.requires_grad_(True)
    assert len(model.trainable_weights) == 6 and not model.layers[1].moving_mean.trainable


def test_compile_of_what_has_not_run():
    import torch
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    x = torch.ones(1, 2)
    torch.testing.assert_close(torch.compile(model, backend='eager')(x), model(x))


def test_other_types_for_models_of_integers():
    import torch
    inputs = keras.Input((3,), dtype='int32')
    model = keras.Model(inputs, keras.layers.Embedding(4, 2)(inputs))
    model.to('cpu')
    model.double()
    assert model(torch.tensor([[1, 2, 3]])).dtype == torch.float64 and inputs.dtype == 'int32'


def test_what_was_registered_is_set_and_deleted():
    import torch
    layer = keras.layers.Layer()
    layer.register_buffer('mean', torch.zeros(2))
    layer.mean = torch.ones(2)
    assert layer.state_dict()['mean'].tolist() == [1, 1]
    layer.add_module('inside', torch.nn.Linear(1, 1))
    layer.inside = torch.nn.Linear(2, 2)
    assert layer.state_dict()['inside.weight'].shape == (2, 2)
    del layer.mean, layer.inside
    assert not layer.state_dict() and not hasattr(layer, 'mean')


def test_a_parameter_beside_a_weight_of_its_name():
    import torch
    class Named(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(name='kernel', shape=(2,), initializer='zeros')
    layer = Named()
    layer.build((None, 2))
    layer.kernel = torch.nn.Parameter(torch.full((3,), 9.0))
    assert layer.w.numpy().tolist() == [0, 0] and layer.kernel.shape == (3,)


def test_a_layer_is_a_module_before_anything_has_run():
    code = ('import keras\n'
            'class Own(keras.layers.Layer):\n'
            '    def __init__(self):\n'
            '        super().__init__()\n'
            '        self.weight = self.add_weight(name="weight", shape=(2,))\n'
            'layer = Own()\n'
            'print(*[name for name, _ in layer.named_parameters()])')
    path = os.pathsep.join([os.path.dirname(os.path.dirname(os.path.abspath(keras.__file__)))] + sys.path)
    found = subprocess.run([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=path, KERAS_BACKEND='torch'),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=300)
    assert found.stdout.split() == ['weight'], found.stderr[-2000:]


def test_configs_are_code_in_generation_3():
    layer = layers.TorchModuleWrapper(wrapped())
    with keras.config.generation(3):
        with pytest.raises(ValueError, match='torch.load'):
            layers.TorchModuleWrapper.from_config(layer.get_config())
        again = layers.TorchModuleWrapper.from_config(layer.get_config(), safe_mode=False)
    for ours, other in zip(layer.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(ours, other)
    assert layers.TorchModuleWrapper.from_config(layer.get_config()).module is not layer.module
