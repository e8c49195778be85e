# Images of zeromq-gateway. The last stage is the image that runs any command of zeromq-gateway; it
# is built from the two Node.js stages before it. The stage python-worker is an image of its own:
# docker build --target python-worker .

# Compiles the sources.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.mjs

# Production dependencies only. Native add-ons include prebuilt binaries, so no compiler is needed.
FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
# Optional packages at their locked versions: tsx for TypeScript workers, and the client for Redis.
# The samples use the SQLite of Node.js.
COPY --from=build /app/node_modules/tsx ./node_modules/tsx
COPY --from=build /app/node_modules/esbuild ./node_modules/esbuild
COPY --from=build /app/node_modules/@esbuild ./node_modules/@esbuild
COPY --from=build /app/node_modules/@redis/client ./node_modules/@redis/client

# A worker in Python: pyzmq and workers/python/zeromq_gateway.py.
FROM debian:bookworm-slim AS python-worker
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

FROM node:22-bookworm-slim AS runtime
# The loopback interface of a container cannot be reached from outside the container. The HTTP
# server therefore listens on all interfaces, and the operator chooses which port to publish. The
# router's ports stay on loopback unless ZMQ_GATEWAY_FRONTEND, ZMQ_GATEWAY_BACKEND and
# ZMQ_GATEWAY_HEARTBEAT are set. Other addresses require CURVE keys or ZMQ_GATEWAY_INSECURE=true
# (docs/security/index.md).
ENV NODE_ENV=production \
  ZMQ_GATEWAY_HOST=0.0.0.0 \
  ZMQ_GATEWAY_PORT=8080 \
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
# For commands that serve HTTP. Containers that run a router or a worker need a health check of
# their own; see compose.yaml.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ZMQ_GATEWAY_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The exec form makes node process 1, so SIGTERM reaches it and starts the drain. No init such as
# tini is needed: node handles its signals and reaps the only processes it starts (--processes).
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["up"]
