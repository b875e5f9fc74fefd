/** The environment by which the agent is configured: whoever starts it writes these variables. */
export const linkVariables = {
  servers: 'SPILLWAY_LINK_SERVERS',
  authorities: 'SPILLWAY_LINK_AUTHORITIES',
  tokenFile: 'SPILLWAY_LINK_TOKEN_FILE',
  domain: 'SPILLWAY_CLUSTER_DOMAIN',
  resolvers: 'SPILLWAY_RESOLVERS',
  ownPorts: 'SPILLWAY_OWN_PORTS',
  healthPort: 'SPILLWAY_HEALTH_PORT',
} as const;
