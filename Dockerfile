# The drawing page and the JSON API in a container: no TensorFlow, not root, nothing written.
#
#   docker build -t emnist-cli .
#   docker run --rm -p 127.0.0.1:8000:8000 --read-only --cap-drop ALL emnist-cli
#
# A model of your own: -v "$PWD/my-model:/model:ro" -e EMNIST_MODEL=/model
FROM python:3.13-slim

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY emnist_cli emnist_cli
COPY man man
# What reading pictures and serving need, without the packages that training needs (docs/install.md).
RUN pip install --no-cache-dir --no-deps . \
    && pip install --no-cache-dir typer rich numpy pillow ai-edge-litert \
        fastapi fastapi-offline uvicorn python-multipart prometheus-client httptools uvloop \
    && rm -rf /src

WORKDIR /
ENV PYTHONDONTWRITEBYTECODE=1
USER 65534:65534
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Inside a container every address is the only one that can be reached from outside it; -p above says from where.
CMD ["emnist", "serve", "--host", "0.0.0.0"]
