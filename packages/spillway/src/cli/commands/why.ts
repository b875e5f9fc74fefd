import { Command } from 'commander';
import { supports } from '../../backends/support.ts';
import { readWhy } from '../../diagnosis/read-why.ts';
import { why } from '../../diagnosis/why.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderWhy } from '../render-why.ts';
import { UsageError } from '../mistake.ts';
import type { Terminal } from '../terminal.ts';

interface WhyOptions extends ClusterOptions {
  readonly namespace?: string;
  readonly output: OutputFormat;
}

/** `spillway why pod/NAME` */
export function whyCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('why'))
    .argument('<pod...>', 'pod/NAME, pod NAME, or NAME')
    .option('-n, --namespace <name>', 'namespace (default: that of the context)')
    .addOption(outputOption())
    .action(async (pod: readonly string[], options: WhyOptions) => {
      const name = podName(pod.join('/'));
      const answer = await inCluster(options, terminal, async (client) =>
        why(await readWhy(client, { namespace: options.namespace ?? client.config.namespace, name }, supports)),
      );
      printAnswer(terminal, answer, options.output, renderWhy);
    });
}

function podName(text: string): string {
  const match = /^(?:(?:pods?|po)\/)?([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/.exec(text);
  if (match?.[1] !== undefined) return match[1];
  throw new UsageError(`"${text}" is not the name of a pod: write pod/NAME`);
}
