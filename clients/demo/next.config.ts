// One build serves everywhere: settings are read from the environment when a request asks for
// them (lib/env.ts), and every page is rendered for its shopper.

import type { NextConfig } from 'next';

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};

const config: NextConfig = {
  poweredByHeader: false,
  // For the image: a server with the part of node_modules that it uses (deploy/images).
  ...(process.env.SEATLOCK_SITE_STANDALONE === '1' && {
    output: 'standalone' as const,
    outputFileTracingRoot: import.meta.dirname,
    // Loaded by a name that is made at run time, so that tracing does not see it.
    outputFileTracingIncludes: { '/**': ['node_modules/@libsql/linux-*-gnu/**'] },
    // No picture is scaled, so nothing of this is called.
    outputFileTracingExcludes: { '**': ['node_modules/sharp/**', 'node_modules/@img/**'] },
  }),
  // Native code and a gRPC channel: loaded by Node itself, not bundled.
  serverExternalPackages: ['libsql', '@grpc/grpc-js'],
  // Else Next takes the lock file above this folder for the project's root.
  turbopack: { root: import.meta.dirname },
  images: { unoptimized: true },
  // What proxy.ts holds of a body. Routes take less: lib/guard.ts.
  experimental: { proxyClientMaxBodySize: '64kb' },
  async headers() {
    const headers = Object.entries(HEADERS).map(([key, value]) => ({ key, value }));
    return [{ source: '/:path*', headers }];
  },
};

export default config;
