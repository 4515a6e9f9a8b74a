"""Small published data sets, downloaded at the first use and read from the cache of `keras.utils.get_file` later."""
from keras import lazy

lazy.attach(__name__, modules="""boston_housing california_housing cifar cifar10 cifar100 fashion_mnist imdb mnist
                                 reuters""")
