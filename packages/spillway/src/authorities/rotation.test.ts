import { describe, expect, it } from 'vitest';
import {
  type Authority,
  certificateValidity,
  needsCertificate,
  needsSuccessor,
  signerOf,
  trusted,
} from './rotation.ts';

const lives = { authorityMs: 1000, certificateMs: 100, overlapMs: 50 };
const authority = (name: string, from: number): Authority => ({ cert: name, key: '', from, to: from + 1000 });

describe('rotation of the authority', () => {
  it('makes the first at once, and a successor after four fifths of its life', () => {
    expect(needsSuccessor([], 0)).toBe(true);
    expect(needsSuccessor([authority('a', 0)], 799)).toBe(false);
    expect(needsSuccessor([authority('a', 0)], 800)).toBe(true);
    expect(needsSuccessor([authority('a', 0), authority('b', 800)], 801)).toBe(false);
  });

  it('trusts both before the new one signs, and the old one for as long as its certificates may live', () => {
    const both = [authority('a', 0), authority('b', 800)];
    expect(signerOf(both, 849, lives)?.cert).toBe('a');
    expect(signerOf(both, 850, lives)?.cert).toBe('b');
    expect(trusted(both, 999).map(({ cert }) => cert)).toEqual(['a', 'b']);
    expect(trusted(both, 1000).map(({ cert }) => cert)).toEqual(['b']);
  });

  it('signs with the only one there is, however new', () => {
    expect(signerOf([authority('a', 0)], 0, lives)?.cert).toBe('a');
    expect(signerOf([], 0, lives)).toBeUndefined();
  });

  it('renews a certificate before it ends, and when another authority signs; none outlives its authority', () => {
    const signer = authority('a', 0);
    const issued = { cert: '', key: '', from: 0, to: 100, signer: 'a' };
    expect(needsCertificate(undefined, signer, 0)).toBe(true);
    expect(needsCertificate(issued, signer, 79)).toBe(false);
    expect(needsCertificate(issued, signer, 80)).toBe(true);
    expect(needsCertificate(issued, authority('b', 0), 0)).toBe(true);
    expect(certificateValidity(signer, 950, lives)).toEqual({ from: 950, to: 1000 });
  });
});
