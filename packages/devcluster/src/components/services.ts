import { join } from 'node:path';
import { programPath, userFlags, type ClusterFacts, type ComponentSpec } from './component.ts';

/** A process on the node's address rather than a pod, so that it takes nothing of the node's capacity. */
export function coreDns(facts: ClusterFacts): ComponentSpec {
  const file = join(facts.dir, 'dns', 'Corefile');
  return {
    name: 'coredns',
    command: programPath(facts, 'coredns'),
    args: ['-conf', file, ...userFlags(facts, 'coredns', false)],
    after: ['kube-apiserver'],
    ready: { kind: 'http', url: `http://${facts.nodeAddress}:${facts.ports.dnsReady}/ready` },
    files: { [file]: corefile(facts) },
  };
}

/** Names outside the cluster do not exist: there is no server to forward to. */
function corefile(facts: ClusterFacts): string {
  return `.:53 {
    bind ${facts.nodeAddress}
    errors
    ready ${facts.nodeAddress}:${facts.ports.dnsReady}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${facts.pki.kubeconfig('coredns')}
        ttl 5
    }
    cache 5
    loadbalance
}
`;
}

export function registry(facts: ClusterFacts): ComponentSpec {
  const file = join(facts.dir, 'registry', 'config.json');
  const address = `${facts.nodeAddress}:${facts.ports.registry}`;
  return {
    name: 'registry',
    command: programPath(facts, 'registry'),
    args: ['serve', file, ...userFlags(facts, 'registry', false)],
    // No traces go anywhere.
    env: { OTEL_TRACES_EXPORTER: 'none' },
    after: [],
    ready: { kind: 'http', url: `http://${address}/v2/` },
    files: { [file]: registryConfig(address, join(facts.dir, 'registry', 'data')) },
  };
}

/** JSON, which is YAML. */
function registryConfig(address: string, rootDirectory: string): string {
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: rootDirectory }, delete: { enabled: true } },
    http: { addr: address },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
