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
export async function* watchEvents<T>(
  stream: KubeStream,
  about: string,
  parse: (text: string) => unknown = parseJson,
): AsyncGenerator<WatchEvent<T>, void> {
  const lines = new LineSplitter();
  try {
    for await (const chunk of stream.body) {
      for (const line of lines.push(trusted<Buffer>(chunk))) yield parseEvent<T>(line, about, parse);
    }
    if (lines.pending > 0) {
      throw new TransportError('protocol', `${about}: the watch was cut off in the middle of an event`);
    }
  } finally {
    await stream.close();
  }
}

/** As the API server writes events: first the type, then the object, and nothing else. */
const aboutAnObject = /^\{"type":"(ADDED|MODIFIED|DELETED)","object":/;

type ParsedEvent<T> = WatchEvent<T> | { readonly type: 'ERROR'; readonly object: Status };

function parseLine<T>(line: string, parse: (text: string) => unknown): ParsedEvent<T> {
  const [head, type] = aboutAnObject.exec(line) ?? [];
  if (head === undefined || !line.endsWith('}')) return parseJson(line);
  return trusted<ParsedEvent<T>>({ type, object: parse(line.slice(head.length, -1)) });
}

function parseEvent<T>(line: string, about: string, parse: (text: string) => unknown): WatchEvent<T> {
  let event: ParsedEvent<T>;
  try {
    event = parseLine(line, parse);
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
