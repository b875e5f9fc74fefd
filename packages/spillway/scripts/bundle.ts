// Makes what runs without a checkout: dist/ of the CLI and of the link agent. Part of `npm run build` and of the Containerfile.
import path from 'node:path';
import { bundle, linkAgent, spillway } from './programs.ts';

const root = path.join(import.meta.dirname, '../../..');
for (const program of [spillway, linkAgent]) await bundle(root, program, path.join(root, program.folder, 'dist'));
