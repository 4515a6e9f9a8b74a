"""Lines of code: without blank lines, comments and docstrings."""
import io
import os
import tokenize

_NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
            tokenize.ENDMARKER)


def code_lines(path):
    """The number of lines of a Python file that hold code."""
    with open(path, encoding='utf-8') as file:
        source = file.read()
    numbers, starts_statement = set(), True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _NO_CODE:
            starts_statement = starts_statement or token.type == tokenize.NEWLINE
            continue
        if not (starts_statement and token.type == tokenize.STRING):
            numbers.update(range(token.start[0], token.end[0] + 1))
        starts_statement = False
    return len(numbers)


def of_folder(folder):
    """{file or package name: lines of code} of the Python files and packages in a folder."""
    result = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith('.py'):
            result[name[:-3]] = code_lines(path)
        elif os.path.isdir(path):
            inner = of_folder(path)
            if inner:
                result[name] = sum(inner.values())
    return result
