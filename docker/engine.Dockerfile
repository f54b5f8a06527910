# One image for every node of a lab; the command says which: mqnamesrv [-c FILE], mqbroker -c FILE, dashboard.
# `lab up` builds it by itself. By hand: npm run build && docker build -f docker/engine.Dockerfile -t rocketmq-lab/engine:local .
# Needs neither BuildKit nor the network beyond its base.
ARG BASE_IMAGE=node:22-bookworm-slim
FROM ${BASE_IMAGE}

# An empty volume takes the owner of the folder it is mounted on, so brokers can write without being root.
COPY --chown=10001:10001 docker/data/ /data/
COPY docker/bin/ /usr/local/bin/
COPY dist/mqnamesrv.mjs dist/mqbroker.mjs dist/dashboard.mjs dist/health.mjs dist/probe.mjs dist/store-tool.mjs dist/clock.mjs /app/
COPY dist/web/ /app/web/

# HOME is where RocketMQ's defaults ($HOME/store, $HOME/namesrv) lie.
ENV HOME=/data NODE_ENV=production NODE_OPTIONS="--disable-proto=delete --disallow-code-generation-from-strings"
WORKDIR /data
USER 10001:10001
CMD ["mqnamesrv"]
