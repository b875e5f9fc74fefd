import type { ClusterConfig } from '../config/cluster-config.ts';
import type { EncodedRequest } from './encode.ts';

/** All headers of one attempt, as a flat list, with those that `sign` adds. */
export async function signedHeaders(
  { server, sign }: Pick<ClusterConfig, 'server' | 'sign'>,
  { method, path, body }: Pick<EncodedRequest, 'method' | 'path' | 'body'>,
  headers: readonly string[],
): Promise<string[]> {
  if (sign === undefined) return [...headers];
  // Sent as it was signed, whatever the transport would have made of the address.
  const sent = [...headers, 'host', new URL(server).host];
  const added = await sign({ method, path, headers: asRecord(sent), body });
  return [...sent, ...Object.entries(added).flat()];
}

function asRecord(list: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < list.length; i += 2) {
    const [name = '', value = ''] = [list[i]?.toLowerCase(), list[i + 1]];
    record[name] = record[name] === undefined ? value : `${record[name]}, ${value}`;
  }
  return record;
}
