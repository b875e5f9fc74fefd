import { writeFileSync } from 'node:fs';
import { createVitest } from 'vitest/node';

/** @typedef {{ readonly tests: number, readonly failed: readonly string[], readonly broken: readonly string[] }} Run what is broken shows nothing: why */

/** Runs tests again and again in one process, which reads only what has changed. */
export class Tests {
  /** @type {import('vitest/node').Vitest} */
  #vitest;

  /** @param {string} copy */
  static async of(copy) {
    Object.assign(process.env, { SPILLWAY_QUICK: '1', SPILLWAY_SOAK: '' });
    process.chdir(copy);
    const options = { root: copy, project: ['unit'], watch: false, reporters: [{}] };
    return new Tests(await createVitest('test', options, { server: { watch: null } }));
  }

  /** @param {import('vitest/node').Vitest} vitest */
  constructor(vitest) {
    this.#vitest = vitest;
  }

  /** @param {string} path @param {string} source */
  write(path, source) {
    writeFileSync(path, source);
    this.#vitest.invalidateFile(path);
  }

  /** @param {readonly string[]} files @returns {Promise<Run>} */
  async run(files) {
    const specifications = await this.#vitest.globTestSpecifications([...files]);
    const asked = new Set(specifications.map(({ moduleId }) => moduleId));
    const { testModules, unhandledErrors } = await this.#vitest.runTestSpecifications(specifications);
    // Those of earlier runs are among them.
    const ran = testModules.filter(({ moduleId }) => asked.has(moduleId));
    const results = ran.flatMap(({ children }) => [...children.allTests()]);
    const failed = results.filter((test) => test.result().state === 'failed').map(({ fullName }) => fullName);
    const errors = [...ran.flatMap((module) => module.errors()), ...unhandledErrors];
    const broken = errors.map((error) => String(Reflect.get(Object(error), 'message') ?? error));
    return { tests: results.length, failed: failed.map((name) => name.replaceAll(' > ', ' › ')), broken };
  }

  async [Symbol.asyncDispose]() {
    await this.#vitest.close();
  }
}
