import { expect, test } from 'vitest';
import { noticesOf } from './notices.ts';
import { sbomOf } from './sbom.ts';

const program = { name: 'spillway', version: '1.2.3' };
const packages = [
  { ...program, license: 'Apache-2.0', texts: ['Apache'] },
  { name: '@peculiar/x509', version: '2.2.0', license: 'MIT', texts: ['Copyright Peculiar\n'] },
  { name: 'zod', version: '4.6.7', license: 'MIT', texts: [] },
];

test('the bill of materials names the program, and every package that is in it', () => {
  const { packages: listed, relationships } = JSON.parse(sbomOf(program, packages, new Date(0)));
  expect(listed).toMatchObject([
    { name: 'spillway', versionInfo: '1.2.3', licenseDeclared: 'Apache-2.0' },
    { name: '@peculiar/x509', externalRefs: [{ referenceLocator: 'pkg:npm/%40peculiar/x509@2.2.0' }] },
    { name: 'zod' },
  ]);
  const id = 'SPDXRef-Package-spillway-1.2.3';
  expect(relationships).toMatchObject([
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: id },
    {
      spdxElementId: id,
      relationshipType: 'CONTAINS',
      relatedSpdxElement: 'SPDXRef-Package--peculiar-x509-2.2.0',
    },
    { spdxElementId: id, relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-Package-zod-4.6.7' },
  ]);
});

test('identifiers have only the characters that SPDX allows, and the time has no fractions', () => {
  const { packages: listed, creationInfo } = JSON.parse(sbomOf(program, packages, new Date(0)));
  for (const { SPDXID } of listed) expect(SPDXID).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
  expect(creationInfo.created).toBe('1970-01-01T00:00:00Z');
});

test('the licenses of others are handed on with their texts, our own is not repeated', () => {
  const text = noticesOf(packages);
  expect(text).toContain('@peculiar/x509 2.2.0: MIT\n\nCopyright Peculiar\n\n---');
  expect(text).toContain('zod 4.6.7: MIT');
  expect(text).not.toContain('spillway 1.2.3');
});
