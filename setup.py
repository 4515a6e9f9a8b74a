"""Packaging: `pip install .` gives the distribution `keras`."""
import os

from setuptools import find_packages, setup

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return file.read()


def version():
    """The one place that holds the version is `keras/version.py`."""
    scope = {}
    exec(read(os.path.join('keras', 'version.py')), scope)
    return scope['__version__']


setup(
    name='keras',
    version=version(),
    description='The Keras API on TensorFlow, JAX, PyTorch and more, through one thin backend',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='MIT',
    python_requires='>=3.6',
    packages=find_packages(include=['keras', 'keras.*']),
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
        'test': ['pytest', 'pytest-xdist', 'hypothesis', 'scipy', 'scikit-learn', 'pillow'],
    },
    classifiers=[
        'Intended Audience :: Developers',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: MIT License',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.6',
        'Programming Language :: Python :: 3.11',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
