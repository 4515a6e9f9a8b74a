"""What layers offer of `torch.nn.Module`, for scripts that are written for PyTorch."""


def parameters(layer, recurse=True):
    """The tensors of the weights; those of frozen layers have requires_grad=False."""
    return iter([tensor for _, tensor in named_parameters(layer)])


def named_parameters(layer, prefix='', recurse=True):
    """Pairs (path, tensor)."""
    for weight in layer.weights:
        yield prefix + ('.' if prefix else '') + weight.path.replace('/', '.'), _tensor(weight)


def zero_grad(layer, set_to_none=True):
    """Forget the gradients that `backward` left."""
    for weight in layer.weights:
        tensor = weight.storage
        if set_to_none:
            tensor.grad = None
        elif tensor.grad is not None:
            tensor.grad.zero_()


def state_dict(layer):
    """{path: tensor}."""
    return {name: tensor.detach() for name, tensor in named_parameters(layer)}


def load_state_dict(layer, state_dict, strict=True):
    """Set the weights from what `state_dict` gave.

    Raises:
        ValueError: where `strict`, if a weight is missing or there are others.
    """
    weights = {weight.path.replace('/', '.'): weight for weight in layer.weights}
    missing, others = set(weights) - set(state_dict), set(state_dict) - set(weights)
    if strict and (missing or others):
        raise ValueError('load_state_dict: missing weights %s, unknown weights %s.' % (sorted(missing), sorted(others)))
    for name, weight in weights.items():
        if name in state_dict:
            weight.assign(state_dict[name])


def _tensor(weight):
    tensor = weight.storage
    if tensor.is_floating_point() and tensor.requires_grad is not bool(weight.trainable):
        tensor.requires_grad_(bool(weight.trainable))
    return tensor


ATTRIBUTES = {function.__name__: function
              for function in (parameters, named_parameters, zero_grad, state_dict, load_state_dict)}
