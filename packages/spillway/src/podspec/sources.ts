/** Bytes of a Secret's `data` or a ConfigMap's `binaryData`. */
export function decodeBytes(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

export function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** A user's key in an object's data: own properties only, so that a key named `constructor` is absent unless it was set. */
export function ownValue(data: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return data && Object.hasOwn(data, key) ? data[key] : undefined;
}
