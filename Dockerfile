# The programs, without what only building and testing needs. Which one runs is said by the command: see docker-compose.yml.
FROM node:24-slim AS build
WORKDIR /leadger
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY libs libs
COPY tools tools
RUN node node_modules/typescript-7/bin/tsc -p tsconfig.build.json && node tools/bundle.js

FROM node:24-slim AS packages
WORKDIR /leadger
COPY package.json package-lock.json .npmrc ./
# The image has a Node.js already.
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /leadger
COPY --from=packages /leadger/node_modules node_modules
COPY --from=build /leadger/dist dist
COPY package.json LICENSE ./
# `npm start` asks it whether there is something to build.
COPY tools tools
USER node
EXPOSE 3000
# Healthy: it can serve. A container whose servers are away waits for them: starting it again would not help.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT ?? 3000) + '/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node"]
CMD ["dist/programs/api.js"]
