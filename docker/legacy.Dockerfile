# Python 3.6 with TensorFlow 2.4, Theano, CNTK and MXNet:
#     docker build -f docker/legacy.Dockerfile -t keras-legacy .
FROM python:3.6-slim-bullseye

WORKDIR /opt/keras
COPY . .
RUN sh docker/install-system.sh legacy && rm -rf /var/lib/apt/lists/*
RUN sh docker/install-legacy.sh python . scikit-learn

ENV KERAS_BACKEND=tensorflow
CMD ["python"]
