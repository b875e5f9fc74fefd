import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

interface LazyCommand {
  readonly description: string;
  readonly load: (terminal: Terminal) => Promise<Command>;
}

/** Every command by its name. The code of one is loaded only for those who ask for it. */
const commands: Readonly<Record<string, LazyCommand>> = {
  serve: {
    description: 'serve the virtual nodes of a configuration file',
    load: async () => (await import('./commands/serve.ts')).serveCommand(),
  },
  config: {
    description: 'check and explain the configuration file, or print its schema',
    load: async (terminal) => (await import('./commands/config.ts')).configCommand(terminal),
  },
  manifests: {
    description: 'print manifests for kubectl apply',
    load: async (terminal) => (await import('./commands/manifests.ts')).manifestsCommand(terminal),
  },
  why: {
    description: 'explain why a pod is where it is: policy, placement, size, timeline, what is tried next',
    load: async (terminal) => (await import('./commands/why.ts')).whyCommand(terminal),
  },
  plan: {
    description:
      'show what a manifest would do: whether its pods may burst, to which pool, in which size, and how many would',
    load: async (terminal) => (await import('./commands/plan.ts')).planCommand(terminal),
  },
  doctor: {
    description: 'list what is wrong or surprising in the cluster, each with its remedy',
    load: async (terminal) => (await import('./commands/doctor.ts')).doctorCommand(terminal),
  },
  ledger: {
    description: 'show what pods were billed for, according to Spillway: what runs now, and seconds by size',
    load: async (terminal) => (await import('./commands/ledger.ts')).ledgerCommand(terminal),
  },
  install: {
    description: 'install Spillway in the cluster, and wait until it serves its virtual nodes',
    load: async (terminal) => (await import('./commands/install.ts')).installCommand(terminal),
  },
  upgrade: {
    description:
      'change version, configuration or options of an installation; what does not become ready is rolled back',
    load: async (terminal) => (await import('./commands/install.ts')).upgradeCommand(terminal),
  },
  status: {
    description: 'show whether an installation works: replicas, leaders, virtual nodes, burst pods',
    load: async (terminal) => (await import('./commands/status.ts')).statusCommand(terminal),
  },
  hibernate: {
    description: 'end everything that bursts, for a night or a while, and remember how it was',
    load: async (terminal) => (await import('./commands/hibernate.ts')).hibernateCommand(terminal),
  },
  resume: {
    description: 'give back what "spillway hibernate" has changed',
    load: async (terminal) => (await import('./commands/hibernate.ts')).resumeCommand(terminal),
  },
  uninstall: {
    description: 'remove Spillway from the cluster and from its backends, and report what is left',
    load: async (terminal) => (await import('./commands/uninstall.ts')).uninstallCommand(terminal),
  },
  leaks: {
    description: 'list what clusters have in the accounts of a configuration, also clusters that no longer exist',
    load: async (terminal) => (await import('./commands/leaks.ts')).leaksCommand(terminal),
  },
  'migrate-addon': {
    description: 'show what the CCE add-on virtual-kubelet has here, and move its pods to Spillway if asked to',
    load: async (terminal) => (await import('./commands/migrate-addon.ts')).migrateAddonCommand(terminal),
  },
  'dead-man': {
    description: 'end the instances of virtual nodes whose heartbeat has stopped: one look, to be run at intervals',
    load: async (terminal) => (await import('./commands/dead-man.ts')).deadManCommand(terminal),
  },
  completion: {
    description: 'print a completion script, for example: source <(spillway completion bash)',
    load: async (terminal) => (await import('./commands/completion.ts')).completionCommand(terminal),
  },
  version: {
    description: 'print the version',
    load: async (terminal) => (await import('./commands/version.ts')).versionCommand(terminal),
  },
  dev: {
    description: 'run real Kubernetes clusters on this machine, for development',
    load: async (terminal) => (await import('./commands/dev.ts')).devCommand(terminal),
  },
  'cci-region': {
    description: 'run a CCI region on this machine, for rehearsals without an account',
    load: async (terminal) => (await import('./commands/cci-region.ts')).cciRegionCommand(terminal),
  },
};

/** Adds all commands: whole, those whose names are among the words; the others by name and description alone. */
export async function addCommands(program: Command, words: readonly string[], terminal: Terminal): Promise<void> {
  for (const [name, { description, load }] of Object.entries(commands)) {
    if (words.includes(name)) program.addCommand((await load(terminal)).description(description));
    else program.command(name).description(description);
  }
}
