// A process of link agents: streams to the link server, without containers.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Link } from '../../../link-agent/src/link/link.ts';

export interface LinkAgents {
  readonly port: number;
  readonly authorities: string;
  /** One for each agent. */
  readonly tokens: readonly string[];
}

/** It ends with this process, or when it is killed. */
export async function startAgents(agents: LinkAgents): Promise<ChildProcess> {
  const child = fork(import.meta.filename, { execArgv: process.execArgv });
  await once(child, 'message');
  child.send(agents);
  return child;
}

function run({ port, authorities, tokens }: LinkAgents): void {
  tokens.forEach((token, index) => {
    const link = new Link({
      servers: [`127.0.0.1:${port}`],
      authorities,
      token: async () => token,
      names: () => [
        ['shop', `web-${index % 50}`],
        ['shop', 'none'],
      ],
      onMessage: () => undefined,
      onState: () => undefined,
      sleep: (ms) => sleep(ms),
      random: Math.random,
    });
    void link.run(new AbortController().signal);
  });
}

if (process.argv[1] === import.meta.filename) {
  // Nobody is left without the process that measures.
  process.on('disconnect', () => process.exit());
  process.on('message', (agents: LinkAgents) => run(agents));
  process.send?.('ready');
}
