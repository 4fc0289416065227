# Serving only: no torch, no compiler, not root. The first stage builds the wheel and its environment, the second runs it.
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/ppe
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY weights weights
COPY datasets datasets
RUN /opt/ppe/bin/pip install --no-cache-dir '.[postgres]'

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home ppe \
    && install -d -o ppe /var/lib/ppe
COPY --from=build /opt/ppe /opt/ppe
ENV PATH=/opt/ppe/bin:$PATH PYTHONUNBUFFERED=1 PPE_LOG_FORMAT=json MPLCONFIGDIR=/tmp
USER ppe
WORKDIR /var/lib/ppe
VOLUME /var/lib/ppe
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
# It listens on loopback until it is given a key: -e PPE_HOST=0.0.0.0 -e PPE_ADMIN_KEY_FILE=/run/secrets/ppe_admin_key
# (docs/operating.md). Without a key and with that host it says so and ends.
CMD ["ppe", "serve"]
