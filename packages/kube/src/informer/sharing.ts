import { trusted } from '../json.ts';
import { LruMap } from '../lru.ts';
import { controllerOf, namespaceOf, resourceVersionOf, uidOf } from '../meta.ts';
import type { KubeObject } from '../resource-type.ts';
import { parseObject } from '../resources/object-json.ts';

/** Enough that the Deployments and Jobs whose pods come at the same time each have one. */
const rememberedKinds = 256;

/** How far the watches of two informers may be apart for one to profit from what the other has parsed. */
const rememberedTexts = 512;
/** As the API server writes built-in kinds. */
const inText = /"uid":"[\w-]+","resourceVersion":"\w+"/;

interface Known<T> {
  getByUid(uid: string): T | undefined;
}

/**
 * Lets the objects of one or more informers have their equal parts in common: what an object and its version before say alike, and
 * what the pods of one Deployment say alike. An object that two informers know in the same version is one. So thousands of
 * objects take the memory of what is different about them.
 */
export class Sharing<T extends KubeObject> {
  readonly #stores = new Set<Known<T>>();
  /** The newest object of each kind that is likely to have many that say nearly the same. */
  readonly #siblings = new LruMap<string, T>(rememberedKinds);

  /** What one store was given, for another one that is told the same. */
  readonly #parsed = new LruMap<string, { readonly text: string; readonly object: T }>(rememberedTexts);

  /** What this store has is shared from now on, until it is disposed of. */
  join(store: Known<T>): Disposable {
    this.#stores.add(store);
    return { [Symbol.dispose]: () => void this.#stores.delete(store) };
  }

  /** Parses an object in a watch event, once for all who are told the same. @throws SyntaxError */
  parse(text: string): T {
    const [version] = this.#stores.size > 1 ? (inText.exec(text) ?? []) : [];
    if (version === undefined) return parseObject<T>(text);
    const known = this.#parsed.get(version);
    if (known?.text === text) {
      this.#parsed.delete(version);
      return known.object;
    }
    const object = parseObject<T>(text);
    this.#parsed.set(version, { text, object });
    return object;
  }

  /** Changes the object, or answers another that is equal to it. */
  share(object: T): T {
    const kind = kindOf(object);
    const shared = withPartsOf(object, this.#version(object), this.#siblings.get(kind));
    this.#siblings.set(kind, shared);
    return shared;
  }

  /** The same object, in the same version if somebody knows it. */
  #version(object: T): T | undefined {
    const uid = uidOf(object);
    const resourceVersion = resourceVersionOf(object);
    let found: T | undefined;
    for (const store of this.#stores) {
      const known = store.getByUid(uid);
      if (known !== undefined && resourceVersionOf(known) === resourceVersion) return known;
      found ??= known;
    }
    return found;
  }
}

/** Objects of one controller are made from one template, and what has not started yet has another status. */
function kindOf(object: KubeObject & { readonly status?: { readonly phase?: unknown } }): string {
  const { status } = object;
  return `${controllerOf(object)?.uid ?? namespaceOf(object)}/${String(status?.phase)}`;
}

/**
 * The value, with each part that equals what a model has in the same place replaced by that. Both models may be anything; they are
 * not changed. O(size of the value).
 *
 * @param value from JSON; its parts are replaced in place
 */
export function withPartsOf<T>(value: T, first: unknown, second?: unknown): T {
  return trusted<T>(share(value, first, second));
}

function share(value: unknown, first: unknown, second: unknown): unknown {
  if (value === first) return first;
  if (typeof value === 'string') return value === second ? second : value;
  if (!isObject(value)) return value;
  const a = isAlike(first, value) ? first : undefined;
  const b = isAlike(second, value) ? second : undefined;
  if (a === undefined && b === undefined) return value;
  const keys = Object.keys(value);
  let isFirst = a !== undefined;
  let isSecond = b !== undefined;
  for (const key of keys) {
    const part = value[key];
    const [inFirst, inSecond] = [a?.[key], b?.[key]];
    const shared = share(part, inFirst, inSecond);
    if (shared !== part || typeof part === 'string') value[key] = shared;
    isFirst &&= shared === inFirst && shared !== undefined;
    isSecond &&= shared === inSecond && shared !== undefined;
  }
  if (isFirst && a !== undefined && Object.keys(a).length === keys.length) return a;
  if (isSecond && b !== undefined && Object.keys(b).length === keys.length) return b;
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && value !== Object.prototype;
}

function isAlike(model: unknown, value: object): model is Record<string, unknown> {
  return isObject(model) && Array.isArray(model) === Array.isArray(value);
}
