# Images of zeromq-gateway. Three stages make the last one, which runs any command of zeromq-gateway; the stage
# python-worker is an image of its own: docker build --target python-worker .

# Compiles the sources.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.mjs

# Production dependencies only. Native add-ons come with their packages: no compiler is needed.
FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

# A classic worker: Python and pyzmq, nothing of ours.
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
# A container has a network of its own: what listens on its loopback cannot be reached from outside. So the HTTP side
# listens everywhere; which port leaves the host is up to whoever runs the container. The router's ports stay on
# loopback until told otherwise (ZMQ_GATEWAY_FRONTEND, ZMQ_GATEWAY_BACKEND, ZMQ_GATEWAY_HEARTBEAT),
# for which they want keys or ZMQ_GATEWAY_INSECURE=true (docs/security/index.md).
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
# For the commands that speak HTTP. Whoever runs a router or a worker sets a check of its own, as compose.yaml does.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ZMQ_GATEWAY_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# In exec form node itself is process 1: SIGTERM reaches it and it drains. It needs no init such as tini: it has
# handlers for its signals, and reaps the only processes it starts (--processes) itself.
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["up"]
