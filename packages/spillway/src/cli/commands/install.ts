import { type KubeClient, systemClock } from '@spillway/kube';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type HelmRelease, inRelease, releaseOf } from '../../addon/helm-release.ts';
import { configMapName, installationObjects } from '../../addon/installation/installation.ts';
import { type Choices, choicesOf } from '../../addon/installation/options-of.ts';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { planObjects } from '../../install/apply.ts';
import { install, type InstallReport } from '../../install/install.ts';
import {
  ownsDefinition,
  type PreflightFinding,
  preflightFindings,
  type PreflightView,
} from '../../install/preflight.ts';
import { readAbilities, readInstalled } from '../../install/read.ts';
import { readPreflight } from '../../install/read-preflight.ts';
import { isOfProduct } from '../../podspec/installation.ts';
import { clusterUid } from '../../serve/connect.ts';
import { checkBackends } from '../check-backends.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { type ChoiceOptions, chosen, withChoiceOptions } from '../installation-options.ts';
import { interruptible } from '../interruptible.ts';
import { CommandFailure, exitCodes, UsageError } from '../mistake.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { findingText, type InstallPlan, refusalFinding, renderInstall, renderPlan } from '../render-install.ts';
import { note, type Terminal } from '../terminal.ts';
import { type InstallableConfig, installedConfigOf, readInstallable } from '../written-config.ts';

interface Options extends ClusterOptions, ChoiceOptions {
  readonly config?: string;
  readonly name?: string;
  readonly namespace: string;
  readonly dryRun?: true;
  readonly check?: true;
  readonly wait: boolean;
  readonly backendCheck: boolean;
  readonly timeout: number;
  readonly output: OutputFormat;
}

const usualTimeoutSeconds = 300;

/** `spillway install` */
export function installCommand(terminal: Terminal): Command {
  const command = withClusterOptions(new Command('install')).requiredOption('--config <file>', 'configuration file');
  return withCommonOptions(command)
    .option('--dry-run', 'change nothing; show what would be changed')
    .action((options: Options) => run(options, terminal));
}

/** `spillway upgrade` */
export function upgradeCommand(terminal: Terminal): Command {
  const command = withClusterOptions(new Command('upgrade'))
    .option('--config <file>', 'configuration file (default: the configuration that is installed)')
    .addOption(
      new Option('--name <name>', 'name of the installation, if it has one and --config is not given').default(
        'spillway',
      ),
    );
  return withCommonOptions(command)
    .option('--check', 'change nothing; show what would be changed')
    .action((options: Options) => run(options, terminal, { upgrades: true }));
}

function withCommonOptions(command: Command): Command {
  return withChoiceOptions(command)
    .option('--namespace <name>', 'namespace of the installation', 'spillway-system')
    .option('--no-backend-check', 'do not ask the backends whether they accept the credentials')
    .option('--no-wait', 'do not wait until it is ready, and roll nothing back')
    .addOption(
      new Option('--timeout <seconds>', 'how long it may take to become ready')
        .argParser(secondsOf)
        .default(usualTimeoutSeconds),
    )
    .addOption(outputOption());
}

async function run(options: Options, terminal: Terminal, { upgrades = false } = {}): Promise<void> {
  const work = (client: KubeClient): Promise<void> =>
    interruptible((signal) => new Installing(client, options, terminal, upgrades).run(signal));
  try {
    await inCluster(options, terminal, work, { tells: true });
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode > 128) {
      note(terminal, 'Stopped in the middle: run the same command again to finish');
    }
    throw error;
  }
}

class Installing {
  readonly #client: KubeClient;
  readonly #options: Options;
  readonly #terminal: Terminal;
  readonly #upgrades: boolean;

  constructor(client: KubeClient, options: Options, terminal: Terminal, upgrades: boolean) {
    this.#client = client;
    this.#options = options;
    this.#terminal = terminal;
    this.#upgrades = upgrades;
  }

  /** Checks, shows or does what was asked, and prints the answer. */
  async run(signal: AbortSignal): Promise<void> {
    const { namespace, dryRun, check, wait, timeout, output } = this.#options;
    const { installable, choices, textBefore, release } = await this.#wanted(signal);
    const { config } = installable;
    const abilities = await readAbilities(this.#client, signal);
    const asked = { config, namespace, abilities, stateClaim: choices.stateClaim, mounts: choices.mounts };
    const view = await readPreflight(this.#client, { ...asked, nowMs: Date.now() }, signal);
    this.#report(await this.#findings(view, installable.here, signal));
    const ownsNamespace = view.space === undefined || isOfProduct(view.space.metadata?.labels);
    const owns = { ownsNamespace, ownsDefinition: ownsDefinition(view) };
    const made = installationObjects(installable, { ...choices, ...owns, abilities });
    if (release !== undefined) note(this.#terminal, releaseNote(release));
    const objects = release === undefined ? made : inRelease(made, release);
    const plan = await planObjects(this.#client, config.name, objects, signal);
    this.#report(plan.refusals.map(refusalFinding));
    if (dryRun || check) {
      const answer: InstallPlan = { installation: config.name, namespace, image: choices.image, changes: plan.changes };
      printAnswer(this.#terminal, answer, output, renderPlan);
      return;
    }
    const report = await install(
      {
        client: this.#client,
        config,
        namespace,
        image: choices.image,
        objects,
        plan,
        configBefore: textBefore === undefined ? undefined : this.#configBefore(textBefore, config.name),
        wait,
        timeoutMs: timeout * 1000,
        tell: (line) => note(this.#terminal, line),
        clock: systemClock,
      },
      signal,
    );
    printAnswer(this.#terminal, report, output, renderInstall);
    if (isFailure(report)) this.#terminal.exitCode = exitCodes.failure;
  }

  /** What is asked for, on top of what is there. */
  async #wanted(signal: AbortSignal): Promise<{
    readonly installable: InstallableConfig;
    readonly choices: Choices;
    readonly textBefore: string | undefined;
    readonly release: HelmRelease | undefined;
  }> {
    const { config: file, namespace, image } = this.#options;
    const name = file === undefined ? (this.#options.name ?? '') : (await loadConfig(file)).name;
    const found = await readInstalled(this.#client, name, namespace, signal);
    if (found === undefined && this.#upgrades) {
      const message = `there is no installation "${name}" in the namespace ${namespace}. Use "spillway install", or say where it is with --namespace`;
      throw new CommandFailure(message, exitCodes.failure);
    }
    const before = found && choicesOf(found);
    const wantedImage = image ?? before?.image;
    if (wantedImage === undefined)
      throw new UsageError('--image is needed: the image of Spillway, as the nodes can pull it');
    const choices = chosen(this.#options, before, { namespace, image: wantedImage });
    const textBefore = found?.configText;
    const release = found && releaseOf(found.deployment);
    if (file !== undefined) {
      const installable = await readInstallable(file, choices);
      return { installable, choices: { ...choices, files: installable.files }, textBefore, release };
    }
    if (textBefore === undefined)
      throw new UsageError('the configuration of the installation is gone: give it with --config');
    const read = installedConfigOf(textBefore, `${namespace}/${configMapName(name)}`, namespace);
    if ('obstacle' in read) throw new UsageError(`${read.obstacle}\nWrite another one, and give it with --config`);
    const { installed } = read;
    return {
      installable: { ...installed, files: choices.files, here: installed.config },
      choices,
      textBefore,
      release,
    };
  }

  /** Undefined when nobody can say whether it was ready. */
  #configBefore(text: string, name: string): Config | undefined {
    const { namespace } = this.#options;
    const before = installedConfigOf(text, `${namespace}/${configMapName(name)}`, namespace);
    if ('installed' in before) return before.installed.config;
    note(this.#terminal, `${before.obstacle}\nSo nothing is rolled back if the new one does not become ready`);
    return undefined;
  }

  /** @param here with the paths of this machine */
  async #findings(view: PreflightView, here: Config, signal: AbortSignal): Promise<readonly PreflightFinding[]> {
    const findings = preflightFindings(view);
    const isAsked = this.#options.backendCheck && findings.every(({ severity }) => severity !== 'error');
    if (!isAsked) return findings;
    const clusterId = here.clusterId ?? (await clusterUid(this.#client, signal));
    const tell = (line: string): void => note(this.#terminal, line);
    return [...findings, ...(await checkBackends({ client: this.#client, config: here, clusterId, tell }, signal))];
  }

  /** @throws CommandFailure when one of them stands in the way */
  #report(findings: readonly PreflightFinding[]): void {
    for (const finding of findings) note(this.#terminal, findingText(finding));
    if (findings.some(({ severity }) => severity === 'error')) {
      throw new CommandFailure('Nothing was changed', exitCodes.findings);
    }
  }
}

const releaseNote = ({ name, namespace }: HelmRelease): string =>
  `note: this installation is the Helm release ${name} in ${namespace}, whose values stay as they are: the next "helm upgrade" needs what you change here in its values, too`;

const isFailure = ({ result }: InstallReport): boolean => result === 'rolledBack' || result === 'notReady';

function secondsOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
  return Number(text);
}
