import { StreamError } from '../errors.ts';

/**
 * The first of the client's sub-protocols that we know.
 *
 * @throws {StreamError} `handshake`
 */
export function negotiate<P extends { readonly name: string }>(offered: readonly string[], known: readonly P[]): P {
  for (const name of offered) {
    const found = known.find((protocol) => protocol.name === name);
    if (found !== undefined) return found;
  }
  const names = known.map((protocol) => protocol.name || '""').join(', ');
  const message = `unable to upgrade: unable to negotiate protocol: client supports ${offered.join(', ')}, server accepts ${names}`;
  throw new StreamError('handshake', message, { status: 403 });
}

/**
 * @param header `X-Stream-Protocol-Version`, several of them joined by commas
 * @throws {StreamError} `handshake`
 */
export function negotiateSpdy<P extends { readonly name: string }>(
  header: string | string[] | undefined,
  known: readonly P[],
): P {
  const offered = listed(header);
  if (offered.length > 0) return negotiate(offered, known);
  const message = 'unable to upgrade: the header X-Stream-Protocol-Version is missing';
  throw new StreamError('handshake', message, { status: 400 });
}

/** The names in a header. */
export function listed(header: string | string[] | undefined): string[] {
  return [header ?? ''].flat().flatMap((line) => line.split(',').flatMap((name) => name.trim() || []));
}
