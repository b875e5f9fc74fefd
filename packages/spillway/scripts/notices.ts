import type { BundledPackage } from './bundled-packages.ts';

/** The licenses under which code of others may be handed on, for those to whom it is. */
export function noticesOf(packages: readonly BundledPackage[]): string {
  return packages
    .filter(({ name }) => !isOurs(name))
    .map(({ name, version, license, texts }) =>
      [`${name} ${version}: ${license}`, ...texts.map((text) => text.trim())].join('\n\n'),
    )
    .join(`\n\n${'-'.repeat(80)}\n\n`)
    .concat('\n');
}

function isOurs(name: string): boolean {
  return name === 'spillway' || name.startsWith('@spillway/');
}
