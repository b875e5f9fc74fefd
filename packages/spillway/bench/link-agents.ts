// A process with the streams of many link agents. Arguments: port of the link server, file with its authorities, file with a token a line, one for each agent.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Link } from '../../link-agent/src/link/link.ts';

// Nobody is left without the process that measures.
process.on('disconnect', () => process.exit());

const [port = '', authoritiesFile = '', tokensFile = ''] = process.argv.slice(2);
const authorities = await readFile(authoritiesFile, 'utf8');
const tokens = (await readFile(tokensFile, 'utf8')).trim().split('\n');
for (const [index, token] of tokens.entries()) {
  const link = new Link({
    servers: [`127.0.0.1:${port}`],
    authorities,
    token: async () => token,
    names: () => [
      ['bench', `web-${index % 50}`],
      ['bench', 'none'],
    ],
    onMessage: () => undefined,
    onState: () => undefined,
    sleep: (ms) => sleep(ms),
    random: Math.random,
  });
  void link.run(new AbortController().signal);
}
