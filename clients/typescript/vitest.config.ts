// Unit tests stand beside what they test. The browser core's run in Node on the fake server.

import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['src/**/*.test.ts'], environment: 'node' } });
