import { ApiError, TransportError } from '../errors.ts';
import type { Status } from '../generated/index.ts';
import { parseJson, trusted } from '../json.ts';
import type { KubeStream } from '../transport/request.ts';
import { LineSplitter } from './lines.ts';

/** An ERROR event is thrown as an ApiError instead. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** The object has nothing but kind, apiVersion and metadata (resource version, annotations). */
  | { readonly type: 'BOOKMARK'; readonly object: T };

/** Reads the stream to its end and closes it, also when the consumer stops early. @throws ApiError, TransportError */
export async function* watchEvents<T>(stream: KubeStream, about: string): AsyncGenerator<WatchEvent<T>, void> {
  const lines = new LineSplitter();
  try {
    for await (const chunk of stream.body) {
      for (const line of lines.push(trusted<Buffer>(chunk))) yield parseEvent<T>(line, about);
    }
    if (lines.pending > 0) {
      throw new TransportError('protocol', `${about}: the watch was cut off in the middle of an event`);
    }
  } finally {
    await stream.close();
  }
}

function parseEvent<T>(line: string, about: string): WatchEvent<T> {
  let event: WatchEvent<T> | { readonly type: 'ERROR'; readonly object: Status };
  try {
    event = parseJson(line);
  } catch (cause) {
    throw new TransportError('protocol', `${about}: a watch event is not JSON`, { cause });
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      return event;
    case 'ERROR':
      throw ApiError.fromStatus(event.object, about);
    default:
      throw new TransportError('protocol', `${about}: a watch event has the unknown type ${JSON.stringify(event)}`);
  }
}
