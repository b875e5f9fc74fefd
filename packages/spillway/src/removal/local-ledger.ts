import { existsSync } from 'node:fs';
import { silentLogger, systemClock } from '@spillway/kube';
import type { Config, PoolConfig } from '../config/config.ts';
import { ledgerFile } from '../ledger/files.ts';
import { LedgerRecorder } from '../ledger/ledger-recorder.ts';

/** That of a pool, with what was written by those who served it. Undefined: it is not where this process runs. */
export async function localLedger(
  { ledger: { directory } }: Pick<Config, 'ledger'>,
  { name, nodeName, sizing }: PoolConfig,
): Promise<LedgerRecorder | undefined> {
  if (directory === undefined || !existsSync(ledgerFile(directory, name))) return undefined;
  const { now, sleep } = systemClock;
  const of = { directory, pool: name, node: nodeName, sizing };
  const recorder = new LedgerRecorder({ ...of, now, sleep, onWritten: () => {}, logger: silentLogger });
  await recorder.load();
  return recorder;
}
