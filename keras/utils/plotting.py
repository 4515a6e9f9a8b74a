"""Pictures of what a training has given."""
from keras.callbacks.tuning import matplotlib_pyplot


def plot_history(history, metrics=None, path=None, figsize=None):
    """Draw the metrics over the epochs, each with its value on the validation data; needs matplotlib.

    Args:
        history: what `fit` returned, or its dictionary {name: list of values}. metrics: names of those to draw, without
            `val_`; default all. path: a file to write the picture to, or None. figsize: (width, height) in inches.

    Returns:
        The figure of matplotlib, with one plot per metric side by side.

    Raises:
        ImportError: where matplotlib is not installed. ValueError: for a metric that is not there, or an empty history.

    Example:
        >>> figure = keras.utils.plot_history(model.fit(x, y, epochs=3, verbose=0))     # doctest: +SKIP
    """
    values = getattr(history, 'history', history)
    epochs = [epoch + 1 for epoch in getattr(history, 'epoch', ())]
    names = list(metrics) if metrics is not None else [
        name for name in values if not (name.startswith('val_') and name[4:] in values)]
    unknown = [name for name in names if name not in values]
    if unknown or not names:
        raise ValueError('plot_history: the history has no metric %s. There are: %s.'
                         % (', '.join(map(repr, unknown)) or 'at all', ', '.join(values) or 'none'))
    pyplot = matplotlib_pyplot('plot_history')
    figure, rows = pyplot.subplots(1, len(names), squeeze=False, figsize=figsize or (5 * len(names), 4))
    for axes, name in zip(rows[0], names):
        for key, label in ((name, 'training'), ('val_' + name, 'validation')):
            if key in values:
                # Validation may be rarer than epochs, and stands where it was, at the end of every so many.
                count = len(values[key])
                places = epochs if len(epochs) == count else _spread(epochs or range(1, len(values[name]) + 1), count)
                axes.plot(places, values[key], label=label, marker='.')
        axes.set_xlabel('epoch')
        axes.set_title(name)
        axes.legend()
    if path is not None:
        figure.savefig(path)
    return figure


def _spread(epochs, count):
    """`count` of the epochs, evenly, up to the last one."""
    epochs = list(epochs)
    return [epochs[(number + 1) * len(epochs) // count - 1] for number in range(count)]
