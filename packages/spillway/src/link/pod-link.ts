import type { Pod } from '@spillway/kube';
import { linkAudience, linkVariables } from '@spillway/link-agent';
import { withAgent } from '../podspec/agent-container.ts';

export interface AgentSettings {
  readonly image: string;
  /** `HOST:PORT` of link servers, as pods reach them. */
  readonly servers: readonly string[];
  /** PEM. */
  readonly authorities: string;
  /** Of the cluster. */
  readonly domain: string;
  /** Name servers until the link server names better ones. */
  readonly resolvers: readonly string[];
}

/** Few programs listen there, and it is at the pod's own address, as probes need it. */
const healthPort = 15_053;

/** A pod with the agent that speaks with these servers. */
export function linkedPod(pod: Pod, { image, servers, authorities, domain, resolvers }: AgentSettings): Pod {
  return withAgent(pod, {
    image,
    env: [
      { name: linkVariables.servers, value: servers.join(',') },
      { name: linkVariables.authorities, value: authorities },
      { name: linkVariables.domain, value: domain },
      { name: linkVariables.resolvers, value: resolvers.join(',') },
      { name: linkVariables.healthPort, value: String(healthPort) },
    ],
    tokenFileVariable: linkVariables.tokenFile,
    ownPortsVariable: linkVariables.ownPorts,
    healthPort,
    audience: linkAudience,
  });
}
