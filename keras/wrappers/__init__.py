"""Models as estimators of scikit-learn: those of Keras 3, and in `scikit_learn` those of Keras 2."""
from keras import lazy

lazy.attach(__name__, modules='scikit_learn',
            names={'keras.wrappers.estimators': 'SKLearnClassifier SKLearnRegressor SKLearnTransformer'})
