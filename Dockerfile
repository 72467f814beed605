# The whole system in one container, on servers of your own:
#   docker run -e REDIS_URL=… -e DATABASE_URL=… -e SMTP_URL=… -e MILLRACE_SECRET=… -p 3000:3000 millrace
# Without REDIS_URL or DATABASE_URL it starts private ones, with their data in the volume.
FROM node:20-bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends redis-server ca-certificates \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/millrace
RUN mkdir -p /var/lib/millrace && chown node:node /srv/millrace /var/lib/millrace
COPY --chown=node:node . .

USER node
RUN node apps/all-in-one/bootstrap.mjs run node --version

# Inside a container the listeners must be reachable from outside of it; publish only the ports you mean to.
ENV HOST=0.0.0.0 MILLRACE_HOME=/var/lib/millrace LOG_FORMAT=json
VOLUME /var/lib/millrace
EXPOSE 3000 3001 3002 3003 3007 3011

HEALTHCHECK --interval=10s --start-period=60s \
  CMD node -e "fetch('http://127.0.0.1:' + (process.env.OPS_PORT || 3002) + '/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"

# What `npm start` runs, without npm between it and the signals.
CMD ["node", "apps/all-in-one/bootstrap.mjs", "start"]
