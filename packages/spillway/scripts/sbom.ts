import { createHash } from 'node:crypto';
import type { BundledPackage } from './bundled-packages.ts';

interface Named {
  readonly name: string;
  readonly version: string;
}

/**
 * The bill of materials of a program, as SPDX 2.3: the packages whose code is in it. `npm sbom` does not know them: it lists what
 * package.json names, and leaves out what it holds to be for development.
 */
export function sbomOf(program: Named, packages: readonly BundledPackage[], made: Date): string {
  const parts = packages.filter(({ name }) => name !== program.name);
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const own = packages.find(({ name }) => name === program.name);
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${program.name}@${program.version}`,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(program.name)}-${program.version}-${digest}`,
    creationInfo: {
      created: made.toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: spillway-bundle-${program.version}`],
    },
    packages: [{ ...program, license: own?.license ?? 'NOASSERTION' }, ...parts].map(spdxPackage),
    relationships: [
      {
        spdxElementId: 'SPDXRef-DOCUMENT',
        relationshipType: 'DESCRIBES',
        relatedSpdxElement: idOf(program),
      },
      ...parts.map((part) => ({
        spdxElementId: idOf(program),
        relationshipType: 'CONTAINS',
        relatedSpdxElement: idOf(part),
      })),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function spdxPackage({ name, version, license }: Named & { readonly license: string }): object {
  return {
    SPDXID: idOf({ name, version }),
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license,
    copyrightText: 'NOASSERTION',
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      },
    ],
  };
}

/** Identifiers of SPDX have letters, digits, dots and dashes. */
function idOf({ name, version }: Named): string {
  return `SPDXRef-Package-${`${name}-${version}`.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`;
}
