import { text as textOf } from 'node:stream/consumers';
import { type KubeObject, readText, UnreadableFileError } from '@spillway/kube';
import { Command } from 'commander';
import { supports } from '../../backends/support.ts';
import { loadConfig } from '../../config/load.ts';
import { ManifestError, parseManifest } from '../../diagnosis/plan/manifest.ts';
import { isClaim, makesPods } from '../../placement/rules/object-shape.ts';
import { hasFindings, type Plan, planOf } from '../../diagnosis/plan/plan.ts';
import { readPlan } from '../../diagnosis/plan/read-plan.ts';
import { poolsOfNodes } from '../../diagnosis/pools.ts';
import { isVirtual } from '../../diagnosis/why.ts';
import type { Pool } from '../../podspec/fit/fit.ts';
import { poolOf } from '../../serve/backends.ts';
import { wholeNumber } from '../arguments.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { exitCodes, UsageError } from '../mistake.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderPlan } from '../render-plan.ts';
import type { Terminal } from '../terminal.ts';

interface PlanOptions extends ClusterOptions {
  readonly filename: readonly string[];
  readonly replicas?: number;
  readonly config?: string;
  readonly namespace?: string;
  readonly offline?: boolean;
  readonly output: OutputFormat;
}

/** `spillway plan -f FILE` */
export function planCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('plan'))
    .option(
      '-f, --filename <file>',
      'manifest, - for standard input; may be given several times',
      (file: string, files: readonly string[]) => [...files, file],
      [],
    )
    .option('--replicas <number>', 'number of replicas, instead of that of the workloads', wholeNumber)
    .option('--config <file>', 'configuration with the pools (default: the virtual nodes of the cluster)')
    .option('-n, --namespace <name>', 'namespace of objects that do not specify one (default: that of the context)')
    .option('--offline', 'do not ask a cluster: no forecast; needs --config')
    .addOption(outputOption())
    .action(async (options: PlanOptions) => {
      if (options.filename.length === 0) throw new UsageError('specify a manifest: spillway plan -f FILE');
      const objects = (await Promise.all(options.filename.map(objectsOf))).flat();
      const plan = await answer(objects, options, terminal);
      printAnswer(terminal, plan, options.output, renderPlan);
      if (hasFindings(plan)) terminal.exitCode = exitCodes.findings;
    });
}

async function answer(objects: readonly KubeObject[], options: PlanOptions, terminal: Terminal): Promise<Plan> {
  const { config, offline = false, namespace, replicas } = options;
  if (offline && config === undefined) throw new UsageError('--offline needs --config, which defines the pools');
  const configured = config === undefined ? undefined : await poolsOfConfig(config);
  const wanted = replicas === undefined ? {} : { replicas };
  if (offline) {
    const inNamespace = objects.map((object) => withNamespace(object, namespace ?? 'default'));
    const remarks = [
      'No cluster was asked: taints, free capacity, claims and ScheduleProfiles are not taken into account.',
    ];
    return planOf({ objects: inNamespace, pools: configured ?? [], remarks, ...wanted });
  }
  return inCluster(options, terminal, async (client) => {
    const inNamespace = objects.map((object) => withNamespace(object, namespace ?? client.config.namespace));
    const namespaces = new Set(inNamespace.filter(makesPods).map(({ metadata }) => metadata?.namespace ?? ''));
    const cluster = await readPlan(client, [...namespaces]);
    const { pools, remarks } = configured
      ? { pools: configured, remarks: [] }
      : poolsOfNodes(cluster.nodes.filter(isVirtual), supports);
    return planOf({ objects: inNamespace, pools, cluster, remarks, ...wanted });
  });
}

async function poolsOfConfig(file: string): Promise<readonly Pool[]> {
  const { pools } = await loadConfig(file);
  return pools.map(poolOf);
}

async function objectsOf(file: string): Promise<KubeObject[]> {
  if (file === '-') return parseManifest(await textOf(process.stdin), 'standard input');
  try {
    return parseManifest(await readText(file), file);
  } catch (cause) {
    if (!(cause instanceof UnreadableFileError)) throw cause;
    throw new ManifestError(`${file}: cannot read the manifest: ${cause.message}`, { cause });
  }
}

function withNamespace(object: KubeObject, namespace: string): KubeObject {
  return makesPods(object) || isClaim(object) ? { ...object, metadata: { namespace, ...object.metadata } } : object;
}
