# monitor for a machine without a GPU: about 1 GB instead of 6, since PyTorch comes without CUDA.
#
#     docker build -t monitor .
#     docker run --rm -v "$PWD:/work" monitor run --due
#
FROM python:3.12-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/monitor
ENV PATH=/opt/monitor/bin:$PATH
# First and alone: this layer changes with PyTorch only. The index has nothing else that we need.
RUN pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE ./
COPY monitor ./monitor
# What is installed already satisfies the requirement, so nothing is fetched in its place.
RUN pip install ".[postgresql]" && python -c "import torch; assert torch.version.cuda is None"

FROM python:3.12-slim
COPY --from=build /opt/monitor /opt/monitor
ENV PATH=/opt/monitor/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --create-home monitor && mkdir /work && chown monitor /work
USER monitor
WORKDIR /work
ENTRYPOINT ["monitor"]
