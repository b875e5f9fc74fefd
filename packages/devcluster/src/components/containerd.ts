import { join } from 'node:path';
import { pauseImage } from '../images/names.ts';
import type { ResolvedNode } from '../options.ts';
import type { ClusterFacts, ComponentSpec } from './component.ts';

export interface ContainerdPaths {
  readonly dir: string;
  readonly config: string;
  readonly socket: string;
  readonly cniConfigDir: string;
  readonly registryConfigDir: string;
}

export function containerdPaths(clusterDir: string): ContainerdPaths {
  const dir = join(clusterDir, 'node');
  return {
    dir,
    config: join(dir, 'containerd.toml'),
    socket: join(dir, 'containerd.sock'),
    cniConfigDir: join(dir, 'cni'),
    registryConfigDir: join(dir, 'registries'),
  };
}

export function containerd(facts: ClusterFacts, node: ResolvedNode): ComponentSpec {
  const paths = containerdPaths(facts.dir);
  const registry = `http://${facts.nodeAddress}:${facts.ports.registry}`;
  return {
    name: 'containerd',
    command: facts.host.containerd,
    args: ['--config', paths.config, ...(facts.options.extraArgs.containerd ?? [])],
    after: [],
    ready: { kind: 'socket', path: paths.socket },
    folders: [paths.dir, join(paths.dir, 'opt'), join(paths.dir, 'temp')],
    files: {
      [paths.config]: containerdConfig(facts),
      [join(paths.cniConfigDir, '10-cluster.conflist')]: cniConfig(facts, node),
      ...Object.fromEntries(
        ['_default', 'docker.io', 'registry.k8s.io'].map((name) => [
          join(paths.registryConfigDir, name, 'hosts.toml'),
          mirrorConfig(registry),
        ]),
      ),
    },
  };
}

function containerdConfig(facts: ClusterFacts): string {
  const paths = containerdPaths(facts.dir);
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
 * A bridge in the cluster's namespace. It masquerades nothing: the namespace routes the pod network, and that of a
 * peer, so pods of both sides see each other's real addresses.
 */
export function cniConfig(facts: ClusterFacts, { podCidr }: ResolvedNode): string {
  const config = {
    cniVersion: '0.4.0',
    // With it begin the names of what CNI leaves under /var/lib/cni.
    name: `${facts.scope}-node`,
    plugins: [
      {
        type: 'bridge',
        bridge: 'node0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(containerdPaths(facts.dir).dir, 'addresses'),
          ranges: [[{ subnet: podCidr }]],
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
