import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline/promises';
import { inject } from 'vitest';
import { attachCluster, type Cluster, type ClusterOptions } from '../src/index.ts';
import { parseJson } from '../src/json.ts';
import { type Loan, returned } from './lender.ts';
import { makePristine } from './pristine.ts';

/**
 * A control plane that nobody else uses meanwhile. Closing it makes it as it was, whatever was done in it and to it, and
 * hands it on to the next test file with the same wishes. What runs in containers is not tidied up: no nodes.
 */
export async function borrowCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { node = false, extraArgs, kubernetesVersion } = options;
  if (node !== false) throw new Error('control planes alone are lent: startCluster starts a node');
  const connection = createConnection(inject('lender'));
  connection.write(`${JSON.stringify({ node: false, extraArgs, kubernetesVersion })}\n`);
  const [line]: string[] = await once(createInterface({ input: connection }), 'line');
  const loan = parseJson<Loan>(line ?? '');
  if ('error' in loan) throw new Error(loan.error);
  const cluster = await attachCluster(loan.name, async () => {
    try {
      await makePristine(cluster, loan.pristine);
      connection.write(`${returned}\n`);
    } finally {
      connection.end();
      await once(connection, 'close');
    }
  });
  return cluster;
}
