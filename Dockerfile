# One image for the plugin server, the sidecar and the demo upstreams: docker-compose.yml gives each its command.
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json build.mjs ./
COPY kong ./kong
COPY kong-plugin ./kong-plugin
COPY sidecar ./sidecar
RUN npm run build && npm prune --omit=dev

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/sidecar/gatewatch.yml ./sidecar/gatewatch.yml
# A new named volume takes its owner from the folder it covers: both are written by the ordinary user.
RUN mkdir -p /run/gatewatch /var/lib/gatewatch && chown node:node /run/gatewatch /var/lib/gatewatch
USER node
CMD ["node", "dist/sidecar/main.js", "--config", "sidecar/gatewatch.yml"]
