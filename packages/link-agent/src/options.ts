import { isIP } from 'node:net';
import { linkVariables as variables } from './variables.ts';

/** What the agent is told by its environment: whoever starts it writes these variables. */
export interface AgentOptions {
  /** `HOST:PORT` of link servers. */
  readonly servers: readonly string[];
  /** Those who may vouch for them, PEM. */
  readonly authorities: string;
  readonly tokenFile: string;
  /** Of the cluster. */
  readonly domain: string;
  /** Name servers for all other names, until the link server names better ones. */
  readonly resolvers: readonly string[];
  /** At which the pod's own containers listen, as `8080/TCP`. */
  readonly ownPorts: ReadonlySet<string>;
  /** Where probes ask whether the agent is ready. */
  readonly healthPort: number;
}

/** @throws Error with all that is wrong */
export function readOptions(environment: NodeJS.ProcessEnv): AgentOptions {
  const problems: string[] = [];
  const needed = (name: string): string => {
    const value = environment[name] ?? '';
    if (value === '') problems.push(`${name} is not set`);
    return value;
  };
  const list = (name: string): string[] => (environment[name] ?? '').split(',').filter((each) => each !== '');
  const resolvers = list(variables.resolvers);
  for (const each of resolvers) if (isIP(each) === 0) problems.push(`${variables.resolvers}: "${each}" is no address`);
  const healthPort = Number(environment[variables.healthPort] ?? 0);
  if (!Number.isInteger(healthPort) || healthPort < 0 || healthPort > 65_535) {
    problems.push(`${variables.healthPort}: "${environment[variables.healthPort]}" is no port`);
  }
  const options: AgentOptions = {
    servers: needed(variables.servers).split(','),
    authorities: needed(variables.authorities),
    tokenFile: needed(variables.tokenFile),
    domain: needed(variables.domain),
    resolvers,
    ownPorts: new Set(list(variables.ownPorts)),
    healthPort,
  };
  if (problems.length > 0) throw new Error(problems.join('; '));
  return options;
}
