#!/usr/bin/env node
// Finds a Node.js that is new enough and starts Spillway with it: the sources in a checkout, dist/ when published.
// Plain JavaScript for any Node.js, because it has to run before one is chosen.
'use strict';

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestMajor = 24;
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const source = path.join(root, 'src', 'cli', 'main.ts');
const main = existsSync(source) ? source : path.join(root, 'dist', 'cli', 'main.js');
// As `kubectl spillway`, and as what kubectl asks to complete it; npm links this file under all three names.
const complete = path.basename(process.argv[1] ?? '').startsWith('kubectl_complete-')
  ? ['__complete', '--kubectl']
  : [];
const flags = main === source ? ['--conditions=spillway-source'] : [];

const node = findNode();
if (node === undefined) {
  process.stderr.write(
    `spillway needs Node.js ${oldestMajor} or newer, and this is ${process.version}. Install it, or run "npm install" in the checkout, which brings one.\n`,
  );
  process.exit(1);
}

if (node === process.execPath && flags.length === 0) {
  process.argv.splice(2, 0, ...complete);
  await import(main);
} else {
  const child = spawn(node, [...flags, main, ...complete, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

/** This one, or one that npm brought: next to us or in a folder above. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= oldestMajor) return process.execPath;
  for (let folder = root; ; folder = path.dirname(folder)) {
    for (const candidate of [`node-linux-${process.arch}/bin/node`, '.bin/node']) {
      const file = path.join(folder, 'node_modules', candidate);
      if (existsSync(file)) return file;
    }
    if (folder === path.dirname(folder)) return undefined;
  }
}
