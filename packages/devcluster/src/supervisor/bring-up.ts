import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gatherFacts } from '../cluster/facts.ts';
import { serverUrl, type ComponentSpec } from '../components/component.ts';
import type { ComponentName } from '../components/names.ts';
import { hasServices, planComponents } from '../components/plan.ts';
import { DevClusterError } from '../errors.ts';
import { cgroupFolders, cgroupLayout, createCgroup } from '../host/cgroups.ts';
import { currentMounts } from '../host/mounts.ts';
import { createNamespace, makeServicesReachable, masqueradePods } from '../network/namespace.ts';
import { freePorts, usualPorts } from '../network/ports.ts';
import { writeClusterPki } from '../pki/cluster-pki.ts';
import { environmentMark, writeRecord, type ClusterRecord } from '../record.ts';
import { becomeReady } from './become-ready.ts';
import { ComponentRunner } from './component-runner.ts';
import { launch, type LaunchContext } from './launch.ts';
import { probe } from './probe.ts';

export interface BringUp {
  readonly runners: ReadonlyMap<ComponentName, ComponentRunner>;
  /** Settles when the whole cluster is usable, or cannot be. */
  readonly ready: Promise<void>;
}

/** Makes network, cgroups and certificates, then starts the components in their order. */
export async function bringUp(
  record: ClusterRecord,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<BringUp> {
  const named = await makeNetwork(record);
  signal.throwIfAborted();
  const facts = await gatherFacts(named);
  log(`network: node address ${facts.nodeAddress}`);
  const cgroupProcs = record.ownNetwork ? await makeCgroups(record.scope) : [];
  await writeClusterPki(record.dir, {
    name: record.name,
    server: serverUrl(facts),
    nodeAddress: facts.nodeAddress,
    serviceCidr: facts.options.serviceCidr,
    nodeName: facts.options.node?.name,
  });
  await mkdir(join(record.dir, 'logs'), { recursive: true });
  const context: LaunchContext = {
    clusterDir: record.dir,
    namespace: record.ownNetwork ? record.scope : undefined,
    cgroupProcs,
    environment: environmentMark(record),
  };
  const specs = planComponents(facts);
  for (const spec of specs) await prepare(spec);
  signal.throwIfAborted();
  const runners = new Map<ComponentName, ComponentRunner>();
  for (const spec of specs) {
    const dependencies = { launch: () => launch(spec, context), probe: () => probe(spec.ready), log };
    runners.set(spec.name, new ComponentRunner(spec, dependencies));
  }
  return { runners, ready: becomeReady(facts, runners, log, signal) };
}

async function ownNetwork(scope: string): Promise<NonNullable<ClusterRecord['network']>> {
  const { nodeAddress, hostAddress } = await createNamespace(scope);
  return { nodeAddress, hostAddress, ports: usualPorts };
}

async function hostNetwork(): Promise<NonNullable<ClusterRecord['network']>> {
  return { nodeAddress: '127.0.0.1', hostAddress: '127.0.0.1', ports: await freePorts() };
}

async function makeNetwork(record: ClusterRecord): Promise<ClusterRecord> {
  const network = record.ownNetwork ? await ownNetwork(record.scope) : await hostNetwork();
  const { node, serviceCidr } = record.options;
  if (node !== undefined) await masqueradePods(record.scope, node.podCidr);
  if (hasServices(record.options)) await makeServicesReachable(record.scope, serviceCidr, network.nodeAddress);
  const named = { ...record, network };
  await writeRecord(named);
  return named;
}

/** One cgroup for the components, one for the kubelet's pods. Returns the components' `cgroup.procs`. */
async function makeCgroups(scope: string): Promise<string[]> {
  const layout = cgroupLayout(await currentMounts());
  if (layout === undefined)
    throw new DevClusterError('host', 'no cgroup file system is mounted: mount one at /sys/fs/cgroup');
  for (const part of ['system', 'node']) await createCgroup(layout, `/${scope}/${part}`);
  return cgroupFolders(layout, `/${scope}/system`).map((folder) => join(folder, 'cgroup.procs'));
}

async function prepare(spec: ComponentSpec): Promise<void> {
  for (const folder of spec.folders ?? []) await mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries(spec.files ?? {})) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
