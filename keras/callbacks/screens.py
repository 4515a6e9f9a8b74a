"""Where progress is shown: a line of a terminal that is drawn anew, lines of a file, or a cell of a notebook."""
import sys

from keras import lazy

shutil = lazy.Later('shutil')

LEAST_BAR = 5


class Line:
    """What a bar shows at a moment.

    Args:
        count: text before the bar, such as ' 3/10'. share: the part of it that is done, None for no bar.
        width: characters of the bar. rest: text behind it. inner: the same of what runs inside (the validation), a
            `Line`, or None. title: text above a bar in a notebook.
    """

    def __init__(self, count, share, width, rest, inner=None, title=''):
        self.count, self.share, self.width, self.rest = count, share, width, rest
        self.inner, self.title = inner, title

    def text(self, width=None):
        """The whole line, its bar `width` characters wide; 0 for none."""
        width = self.width if width is None else width
        bar = '' if self.share is None or not width else ' [%s]' % _bar(self.share, width)
        inner = '' if self.inner is None else ' - validation %s' % self.inner.text(0).strip()
        return self.count + bar + self.rest + inner

    def fitting(self, columns, whole=False):
        """The line with a bar as short as it has to be for so many columns, or with none; cut off behind the last entry
        that fits. `whole`: not cut off."""
        text = self.text()
        if len(text) <= columns:
            return text
        shorter = self.width - (len(text) - columns)
        text = self.text(shorter if shorter >= LEAST_BAR else 0)
        if len(text) <= columns or whole:
            return text
        end = text.rfind(' - ', 0, columns - 1)
        return text[:end] + ' ...'[:max(columns - end, 0)] if end > 0 else text[:columns]


def _bar(share, width):
    filled = int(width * min(share, 1))
    arrow = '=' * (filled - 1) + ('>' if share < 1 else '=') if filled else ''
    return arrow + '.' * (width - filled)


class Terminal:
    """A line of a terminal, drawn anew with every call."""
    is_live, shows_title = True, False

    def __init__(self):
        self._drawn = 0

    def draw(self, line, is_last):
        columns = shutil.get_terminal_size().columns - 1
        text = line.fitting(columns, whole=is_last)
        sys.stdout.write('\r' + text.ljust(min(self._drawn, columns)) + ('\n' if is_last else ''))
        sys.stdout.flush()
        self._drawn = len(text)


class Notebook:
    """The output of a cell of a notebook: HTML without widgets, shown anew with every call; text where HTML is not."""
    is_live, shows_title = True, True

    def __init__(self):
        from IPython.display import display
        self._display, self._handle = display, None

    def draw(self, line, is_last):
        title = '<div>%s</div>' % _escaped(line.title) if line.title else ''
        shown = {'text/plain': line.text(), 'text/html': title + _html(line) + (
            '' if line.inner is None else '<div style="margin-left: 2em">validation %s</div>' % _html(line.inner))}
        if self._handle is None:
            self._handle = self._display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def _escaped(text):
    from html import escape  # which loads the names of all entities
    return escape(text)


def _html(line):
    bar = '' if line.share is None else '<progress value="%.4f" max="1" style="width: 20em; vertical-align: middle">' \
        '</progress> ' % min(line.share, 1)
    return '<div style="font-family: monospace">%s%s%s</div>' % (bar, _escaped(line.count), _escaped(line.rest))


class Lines:
    """Lines of a file or a pipe.

    Args:
        say: function that prints a line.
    """
    is_live, shows_title = False, False

    def __init__(self, say):
        self._say = say

    def draw(self, line, is_last):
        self._say(line.text())


def screen(say, is_interactive):
    """The screen that the output of the process has.

    Args:
        say: function that prints a line. is_interactive: whether bars are wanted where that is possible.
    """
    if is_interactive and 'ipykernel' in sys.modules and 'IPython' in sys.modules:
        return Notebook()
    if is_interactive and hasattr(sys.stdout, 'isatty') and sys.stdout.isatty():
        return Terminal()
    return Lines(say)
