# Python 3.11 with TensorFlow, JAX, PyTorch and PyTensor, for the CPU or, with --build-arg KERAS_CUDA=1, for CUDA 12:
#     docker build -f docker/modern.Dockerfile -t keras .
FROM python:3.11-slim-bookworm

# pip's packages bring the CUDA libraries along; the host gives the driver (docker run --gpus all).
ARG KERAS_CUDA=0
# Where pip finds PyTorch's CPU builds, if not in its usual index: the usual index has the CUDA builds.
ARG PIP_EXTRA_INDEX_URL=

WORKDIR /opt/keras
COPY . .
RUN sh docker/install-system.sh modern && rm -rf /var/lib/apt/lists/*
RUN sh docker/install-modern.sh python . scikit-learn

ENV KERAS_BACKEND=tensorflow
CMD ["python"]
