"""`python -m keras`: see `keras.command`."""
import sys

from keras.command import main

if __name__ == '__main__':
    sys.exit(main())
