"""Modules of PyTorch as layers, and layers as modules of PyTorch."""
import copy

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
    with pytest.raises(ValueError, match='missing weights'):
        model.load_state_dict({})
    assert outer.to('cpu') is outer
    with pytest.raises(ValueError, match='mixed_bfloat16'):
        outer.half()
    with pytest.raises(NotImplementedError, match='hooks'):
        model.register_forward_hook(print)


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
    found = [weight for weight, tensor in zip(model.weights, model.parameters()) if tensor.requires_grad]
    assert set(map(id, found)) == set(map(id, expected))
    model(torch.from_numpy(X)).sum().backward()
    found = [weight for weight, tensor in zip(model.weights, model.parameters()) if tensor.grad is not None]
    assert set(map(id, found)) == set(map(id, expected))
    assert len(model.trainable_weights) == 4
    before = model.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before[:2], model.get_weights()[:2]))
    model.requires_grad_(True)
    assert len(model.trainable_weights) == 6 and not model.layers[1].moving_mean.trainable
