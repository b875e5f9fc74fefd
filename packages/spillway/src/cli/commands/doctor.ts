import { silentLogger } from '@spillway/kube';
import { Command } from 'commander';
import { diagnoseCci } from '../../backends/cci/doctor/diagnose.ts';
import { inspectCci } from '../../backends/cci/doctor/inspect.ts';
import type { CciFinding } from '../../backends/cci/doctor/view.ts';
import { supports } from '../../backends/support.ts';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { diagnose, worstFirst } from '../../diagnosis/doctor/doctor.ts';
import { readView } from '../../diagnosis/doctor/read-view.ts';
import type { ClusterView, Finding } from '../../diagnosis/doctor/view.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { interruptible } from '../interruptible.ts';
import { exitCodes, UsageError } from '../mistake.ts';
import { type Colour, coloured, outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { fields } from '../table.ts';
import { note, type Terminal } from '../terminal.ts';
import { doctorNetworkCommand } from './doctor-network.ts';

interface DoctorOptions extends ClusterOptions {
  readonly config?: string;
  /** true: the usual image */
  readonly runPod?: string | true;
  readonly output: OutputFormat;
}

type AnyFinding = Finding | CciFinding;

const usualTestImage = 'busybox';

/** `spillway doctor` */
export function doctorCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('doctor'))
    .addCommand(doctorNetworkCommand(terminal))
    .option('--config <file>', 'configuration; the CCI accounts of its pools are checked, too')
    .option(
      '--run-pod [image]',
      `start a pod in each of them for a second and remove it (default image: ${usualTestImage}); needs --config`,
    )
    .addOption(outputOption())
    .action(async (options: DoctorOptions) => {
      if (options.runPod !== undefined && options.config === undefined)
        throw new UsageError('--run-pod needs --config');
      const config = options.config === undefined ? undefined : await loadConfig(options.config);
      const view = await inCluster(options, terminal, (client) => readView(client, supports));
      const clusterId = config?.clusterId ?? view.clusterUid;
      // A pod that was started is removed before the end.
      const accounts =
        config && clusterId !== undefined
          ? await interruptible((signal) => accountsOf({ ...options, config, clusterId, terminal }, view, signal))
          : [];
      const findings: readonly AnyFinding[] = [...diagnose(view), ...accounts];
      printAnswer(terminal, { findings: worstFirst(findings) }, options.output, render);
      if (findings.some(({ severity }) => severity !== 'info')) terminal.exitCode = exitCodes.findings;
    });
}

interface AccountOptions extends Pick<DoctorOptions, 'runPod'> {
  readonly config: Config;
  readonly clusterId: string;
  readonly terminal: Terminal;
}

async function accountsOf(
  { config, clusterId, runPod, terminal }: AccountOptions,
  cluster: ClusterView,
  signal: AbortSignal,
): Promise<CciFinding[]> {
  const findings: CciFinding[] = [];
  // One after the other: pools may share an account, and a refusal counts for its key.
  for (const { name, nodeName, backend, dns, interconnect } of config.pools) {
    if (backend.type !== 'cci') continue;
    const account = await inspectCci(
      {
        backend,
        clusterId,
        testImage: runPod === true ? usualTestImage : runPod,
        onProgress: (doing) => note(terminal, `Pool ${name}: ${doing}`),
        environment: process.env,
        logger: silentLogger,
      },
      signal,
    );
    findings.push(
      ...diagnoseCci({ pool: name, nodeName, backend, dnsServers: dns.clusterDNS, interconnect, account, cluster }),
    );
  }
  signal.throwIfAborted();
  return findings;
}

const colours: Readonly<Record<AnyFinding['severity'], Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

function render({ findings }: { readonly findings: readonly AnyFinding[] }): string {
  if (findings.length === 0) return `${coloured('green', 'Nothing is wrong.')}\n`;
  const blocks = findings.map(({ severity, code, object, message, remedy }) => {
    const head = `${coloured(colours[severity], severity)} ${code}${object === undefined ? '' : `: ${object}`}`;
    return `${head}\n${fields([
      ['  what', message],
      ['  remedy', remedy],
    ])}`;
  });
  return blocks.join('\n');
}
