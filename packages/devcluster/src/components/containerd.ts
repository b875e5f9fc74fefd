import { join } from 'node:path';
import { pauseImage } from '../images/names.ts';
import type { ClusterFacts, ComponentSpec } from './component.ts';

/** The two containerds of a cluster. They share nothing: a kubelet kills every sandbox that it does not know. */
export type ContainerdRole = 'node' | 'pool';

export interface ContainerdPaths {
  readonly dir: string;
  readonly config: string;
  readonly socket: string;
  readonly cniConfigDir: string;
  readonly registryConfigDir: string;
}

export function containerdPaths(clusterDir: string, role: ContainerdRole): ContainerdPaths {
  const dir = join(clusterDir, role);
  return {
    dir,
    config: join(dir, 'containerd.toml'),
    socket: join(dir, 'containerd.sock'),
    cniConfigDir: join(dir, 'cni'),
    registryConfigDir: join(dir, 'registries'),
  };
}

/** Name of the CNI network, and with it of what CNI leaves under /var/lib/cni. */
function cniNetwork(scope: string, role: ContainerdRole): string {
  return `${scope}-${role}`;
}

export function containerd(facts: ClusterFacts, role: ContainerdRole): ComponentSpec {
  const paths = containerdPaths(facts.dir, role);
  const registry = `http://${facts.nodeAddress}:${facts.ports.registry}`;
  return {
    name: role === 'node' ? 'containerd' : 'pool-containerd',
    command: facts.host.containerd,
    args: [
      '--config',
      paths.config,
      ...(facts.options.extraArgs[role === 'node' ? 'containerd' : 'pool-containerd'] ?? []),
    ],
    after: [],
    ready: { kind: 'socket', path: paths.socket },
    folders: [paths.dir, join(paths.dir, 'opt'), join(paths.dir, 'temp')],
    files: {
      [paths.config]: containerdConfig(facts, role),
      [join(paths.cniConfigDir, '10-cluster.conflist')]: cniConfig(facts, role),
      ...Object.fromEntries(
        ['_default', 'docker.io', 'registry.k8s.io'].map((name) => [
          join(paths.registryConfigDir, name, 'hosts.toml'),
          mirrorConfig(registry),
        ]),
      ),
    },
  };
}

export function containerdConfig(facts: ClusterFacts, role: ContainerdRole): string {
  const paths = containerdPaths(facts.dir, role);
  return `version = 2
root = "${join(paths.dir, 'root')}"
state = "${join(paths.dir, 'state')}"
temp = "${join(paths.dir, 'temp')}"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = "${paths.socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${join(paths.dir, 'opt')}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  # Lowering a process's OOM score takes CAP_SYS_RESOURCE, which containers and some virtual machines lack.
  restrict_oom_score_adj = true
  disable_apparmor = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${facts.host.cniDir}"
    conf_dir = "${paths.cniConfigDir}"

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${paths.registryConfigDir}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${facts.host.snapshotter}"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${facts.host.runc}"
        Root = "${join(paths.dir, 'runc')}"
`;
}

/**
 * A bridge in the cluster's namespace. Addresses are not masqueraded: both pod networks are routed inside the namespace,
 * so pods of both sides see each other's real addresses.
 */
export function cniConfig(facts: ClusterFacts, role: ContainerdRole): string {
  const config = {
    cniVersion: '0.4.0',
    name: cniNetwork(facts.scope, role),
    plugins: [
      {
        type: 'bridge',
        bridge: role === 'node' ? 'node0' : 'pool0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(containerdPaths(facts.dir, role).dir, 'addresses'),
          ranges: [[{ subnet: facts.options[role]?.podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The cluster's registry answers for every other one, by the path of the repository alone. */
function mirrorConfig(registry: string): string {
  return `server = "${registry}"

[host."${registry}"]
  capabilities = ["pull", "resolve"]
`;
}
