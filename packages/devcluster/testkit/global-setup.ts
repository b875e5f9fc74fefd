import type { TestProject } from 'vitest/node';
import { Lender } from './lender.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the socket of who lends control planes. */
    lender: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const lender = await Lender.start();
  project.provide('lender', lender.socket);
  return () => lender.close();
}
