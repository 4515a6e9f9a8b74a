"""Loops and branches: nodes of ONNX that hold graphs of their own."""
from keras.backend.contract import tree


def written(writer, node):
    """The values that a loop or branch gives."""
    operation = node.operation
    return _FORMS[operation.name](writer, operation.bodies, *node.args[0])


def _results(inner, body, dtypes=None):
    """The values that a body gives, each under a name of its own."""
    leaves = tree.flatten(body.structure)
    dtypes = dtypes or [None] * len(leaves)
    values = [inner.operand(leaf, dtype) for leaf, dtype in zip(leaves, dtypes)]
    return [inner.block.renamed(value, inner.block.names.new('result')) for value in values]


def _scan(writer, bodies, _, init, xs, length, reverse):
    body, block = bodies[0], writer.block
    states = [writer.operand(leaf) for leaf in tree.flatten(init)]
    elements = [writer.operand(leaf) for leaf in tree.flatten(xs)]
    inner, arguments = writer.body(body.inputs)
    results = _results(inner, body, [state.dtype for state in states] + [None] * (
        len(tree.flatten(body.structure)) - len(states)))
    if not elements:  # the steps are counted instead
        elements = [block.add('Range', block.constant(0, 'int64'), block.cast(writer.operand(length), 'int64'),
                              block.constant(1, 'int64'), shape=(None,))]
        arguments.append(inner.block.argument((), 'int64'))
    time = elements[0].shape[:1]
    outputs = [(state.shape, state.dtype) for state in states]
    outputs += [(time + result.shape, result.dtype) for result in results[len(states):]]
    direction = int(bool(reverse))
    return block.add_many('Scan', states + elements, outputs, num_scan_inputs=len(elements),
                          body=inner.block.graph('step', arguments, results),
                          scan_input_directions=[direction] * len(elements),
                          scan_output_directions=[direction] * (len(results) - len(states)) or None)


def _cond(writer, bodies, predicate, _then, _otherwise, operands):
    branches, results = {}, []
    for position, name in [(1, 'then_branch'), (2, 'else_branch')]:
        body = bodies[position]
        inner, _ = writer.body(body.inputs)
        # A branch takes no arguments: it sees the operands around it.
        inner.values.update((tensor, writer.operand(leaf)) for tensor, leaf in zip(body.inputs, tree.flatten(operands)))
        results = _results(inner, body)
        branches[name] = inner.block.graph(name, [], results)
    outputs = [((None,) * result.ndim, result.dtype) for result in results]
    return writer.block.add_many('If', [writer.operand(predicate, 'bool')], outputs, **branches)


def _while_loop(writer, bodies, _condition, _body, init, maximum_iterations):
    block = writer.block
    condition, body = bodies[0], bodies[1]
    states = [writer.operand(leaf) for leaf in tree.flatten(init)]
    inner, arguments = writer.body(body.inputs, condition.inputs)
    results = _results(inner, body, [state.dtype for state in states])
    inner.values.update(zip(condition.inputs, results))
    after = _condition_of(inner, condition)
    first = _condition_of(writer.with_values(condition.inputs, states), condition)
    counters = [inner.block.argument((), 'int64'), inner.block.argument((), 'bool')]
    limit = None if maximum_iterations is None else block.cast(writer.operand(maximum_iterations), 'int64')
    return block.add_many('Loop', [limit, first] + states, [(state.shape, state.dtype) for state in states],
                          body=inner.block.graph('step', counters + arguments, [after] + results))


def _condition_of(writer, condition):
    leaf, = tree.flatten(condition.structure)
    return writer.block.renamed(writer.operand(leaf, 'bool'), writer.block.names.new('condition'))


_FORMS = {'scan': _scan, 'cond': _cond, 'while_loop': _while_loop}
