import { Command } from 'commander';
import { diagnose } from '../../diagnosis/doctor/doctor.ts';
import { readView } from '../../diagnosis/doctor/read-view.ts';
import type { Finding } from '../../diagnosis/doctor/view.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { exitCodes } from '../mistake.ts';
import { type Colour, coloured, outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { fields } from '../table.ts';

interface DoctorOptions extends ClusterOptions {
  readonly output: OutputFormat;
}

/** `spillway doctor` */
export function doctorCommand(): Command {
  return withClusterOptions(new Command('doctor'))
    .description('everything that is wrong or surprising in the cluster, each with its remedy')
    .addOption(outputOption())
    .action(async (options: DoctorOptions) => {
      const findings = await inCluster(options, async (client) => diagnose(await readView(client)));
      printAnswer({ findings }, options.output, render);
      if (findings.some(({ severity }) => severity !== 'info')) process.exitCode = exitCodes.findings;
    });
}

const colours: Readonly<Record<Finding['severity'], Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

function render({ findings }: { readonly findings: readonly Finding[] }): string {
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
