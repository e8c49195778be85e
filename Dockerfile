# Images of zeromq-gateway. The last stage is the image that runs any command of zeromq-gateway; it
# is built from the two Node.js stages before it. The stage python-worker is an image of its own:
# docker build --target python-worker .

# The base images, named only here, by the digests of their multi-platform indexes: rebuilds get the
# same bases until these lines change. `docker buildx imagetools inspect IMAGE:TAG` prints the digest
# of a newer one. Another base replaces them with --build-arg (npm run image:check -- --node-image).
ARG NODE_IMAGE=docker.io/library/node:22.23.3-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c
ARG PYTHON_IMAGE=docker.io/library/debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171

# Compiles the sources.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY openapi ./openapi
COPY workers ./workers
RUN node scripts/build.mjs

# Production dependencies only. Native add-ons include prebuilt binaries, so no compiler is needed.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
# Optional packages at their locked versions: tsx for TypeScript workers, and the clients for Redis
# and PostgreSQL.
# The samples use the SQLite of Node.js.
COPY --from=build /app/node_modules/tsx ./node_modules/tsx
COPY --from=build /app/node_modules/esbuild ./node_modules/esbuild
COPY --from=build /app/node_modules/@esbuild ./node_modules/@esbuild
COPY --from=build /app/node_modules/@redis/client ./node_modules/@redis/client
RUN --mount=type=bind,from=build,source=/app/node_modules,target=/locked \
  cp -r /locked/pg /locked/pg-* /locked/pgpass /locked/postgres-* /locked/split2 /locked/xtend node_modules/
# Add-ons for other platforms take 30 MB.
COPY scripts/native-files.mjs ./
RUN node native-files.mjs node_modules && node --input-type=module --eval "import 'zeromq'"

# A worker in Python: pyzmq and workers/python/zeromq_gateway.py.
FROM ${PYTHON_IMAGE} AS python-worker
RUN apt-get update \
  && apt-get install --yes --no-install-recommends python3-zmq \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --no-create-home worker \
  && mkdir /data \
  && chown worker /data
WORKDIR /app
COPY workers/python ./
ENV PYTHONUNBUFFERED=1 ZMQ_GATEWAY_DATA=/data
USER worker
HEALTHCHECK NONE
ENTRYPOINT ["python3", "inventory.py"]

FROM ${NODE_IMAGE} AS runtime
# The loopback interface of a container cannot be reached from outside the container. The HTTP
# server therefore listens on all interfaces, and the operator chooses which port to publish. The
# router's ports stay on loopback unless ZMQ_GATEWAY_FRONTEND, ZMQ_GATEWAY_BACKEND and
# ZMQ_GATEWAY_HEARTBEAT are set. Other addresses require CURVE keys or ZMQ_GATEWAY_INSECURE=true
# (docs/security/index.md). The admin listener is for the health check below; it stays on loopback.
# MALLOC_*: settings of glibc for streams and large messages (docs/operations/sizing.md).
ENV NODE_ENV=production \
  MALLOC_TRIM_THRESHOLD_=33554432 \
  MALLOC_TOP_PAD_=4194304 \
  MALLOC_MMAP_THRESHOLD_=4194304 \
  ZMQ_GATEWAY_HOST=0.0.0.0 \
  ZMQ_GATEWAY_PORT=8080 \
  ZMQ_GATEWAY_ADMIN=127.0.0.1:9090 \
  ZMQ_GATEWAY_DATA=/data
RUN mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY openapi ./openapi
COPY workers ./workers
COPY templates ./templates
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
# For every command with an admin listener: up, gateway, router, worker, server. It asks whether the
# process runs, because Docker Swarm replaces containers that fail it. compose.yaml asks whether
# they can serve.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "/app/dist/cli/main.js", "health", "--live"]
# The exec form makes node process 1, so SIGTERM reaches it and starts the drain. No init such as
# tini is needed: node handles its signals and reaps the only processes it starts (--processes).
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["up"]
