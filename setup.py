"""Packaging: `pip install .` gives the distribution `keras`."""
import os
import re

from setuptools import find_packages, setup

HERE = os.path.dirname(os.path.abspath(__file__))
# Where the project lives.
HOME = 'https://h-seed-d9587743.example/maintainers/keras'


def read(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return file.read()


def version():
    """The one place that holds the version is `keras/version.py`."""
    scope = {}
    exec(read(os.path.join('keras', 'version.py')), scope)
    return scope['__version__']


def description():
    """The README as a package index shows it, where links to files of the project need its address."""
    return re.sub(r'\]\((?!https?://|#)([^)]+)\)', r'](%s/blob/main/\1)' % HOME, read('README.md'))


setup(
    name='keras',
    version=version(),
    description='The Keras API on TensorFlow, JAX, PyTorch and more, through one thin backend',
    long_description=description(),
    long_description_content_type='text/markdown',
    license='MIT',
    python_requires='>=3.6',
    packages=find_packages(include=['keras', 'keras.*']),
    package_data={'keras': ['py.typed', 'legacy/known_names.json']},
    url=HOME,
    project_urls={'Source': HOME, 'Documentation': HOME + '/blob/main/docs/architecture.md',
                  'Changelog': HOME + '/blob/main/CHANGELOG.md'},
    install_requires=['numpy', 'h5py'],
    extras_require={
        # The distribution tensorflow-cpu serves as well: it is the same package without GPU support.
        'tensorflow': ['tensorflow>=2.4'],
        'jax': ['jax'],
        'torch': ['torch'],
        'theano': ['theano; python_version < "3.9"', 'pytensor; python_version >= "3.9"'],
        'mxnet': ['mxnet', 'numpy<2'],
        'cntk': ['cntk; python_version < "3.7"'],
        'visualize': ['pydot', 'graphviz'],
        'onnx': ['onnx'],
        'yaml': ['pyyaml'],
        'images': ['pillow', 'scipy', 'pandas'],
        'tensorboard': ['tensorboard'],
        'orbax': ['orbax-checkpoint', 'jax'],
        'nnx': ['flax', 'jax'],
        'test': ['pytest', 'pytest-xdist', 'hypothesis', 'scipy', 'scikit-learn', 'pillow', 'pandas',
                 'pydot', 'pyyaml', 'tensorboard', 'onnx; python_version >= "3.9"',
                 'onnxruntime; python_version >= "3.9"'],
    },
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Developers',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: MIT License',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3 :: Only',
    ] + ['Programming Language :: Python :: 3.%d' % minor for minor in range(6, 14)] + [
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Typing :: Typed',
    ],
)
