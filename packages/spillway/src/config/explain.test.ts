import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { explain, nearestField, referenceTable } from './explain.ts';
import { fields } from './fields.ts';

describe('explaining a field', () => {
  it('says what it means, what it takes and what happens without it', () => {
    expect(explain('pools[].kubeletPort')).toBe(
      [
        'pools[].kubeletPort',
        '  TCP port of the kubelet API. Each pool needs its own.',
        '  whole number from 1 to 65535, default 10250',
      ].join('\n'),
    );
  });

  it('takes paths as error messages write them', () => {
    expect(explain('pools[3].kubeletPort')).toBe(explain('pools[].kubeletPort'));
    expect(explain('pools.kubeletPort')).toBe(explain('pools[].kubeletPort'));
  });

  it('lists the fields of a section and of the whole file', () => {
    expect(explain('kubernetes')).toMatch(/FIELDS\n {2}kubeconfig {2}Path/);
    expect(explain('')).toContain('observability');
  });

  it('tells the variants of a backend apart', () => {
    expect(explain('pools[].backend.stateFile')).toContain('(type: simulated)');
  });

  it('knows no field that does not exist, but the nearest one', () => {
    expect(explain('pools[].kubletPort')).toBeUndefined();
    expect(nearestField('pools[].kubletPort')).toBe('pools[].kubeletPort');
  });

  it('has a description for every field', () => {
    expect(fields().filter(({ description }) => description.length < 10)).toEqual([]);
  });

  it('is the reference in docs/configuration.md', async () => {
    const docs = await readFile(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
    expect(docs).toContain(referenceTable());
  });
});
