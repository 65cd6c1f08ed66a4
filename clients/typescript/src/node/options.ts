// What a client is made with, checked, and the gRPC channels that come of it.

import { type ChannelOptions, Client, credentials, experimental } from '@grpc/grpc-js';
import { isNamePort } from './addresses.js';
import type { Connect, ServerList } from './servers.js';

/**
 * TLS to the service. With `cert` and `key` the client shows who it is (mTLS). All in PEM: texts,
 * or, for certificates that are replaced while the program runs, paths of files, which are read
 * anew when they change. Texts and paths cannot be mixed.
 */
export interface TlsOptions {
  /** Who signs the service's certificate. Default: the authorities that Node trusts. */
  readonly ca?: Uint8Array | string | undefined;
  /** The client's certificate, with those between it and the authority. Needs `key`. */
  readonly cert?: Uint8Array | string | undefined;
  readonly key?: Uint8Array | string | undefined;
  /**
   * The path of what `ca` is. It and the two below are looked at once a second while there are
   * connections to make; open connections stay.
   */
  readonly caFile?: string | undefined;
  /** The path of what `cert` is. Needs `keyFile` and `caFile`. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name in the service's certificate, where it is not the address's host. */
  readonly serverName?: string | undefined;
}

/** How to reach the service, and for how long to try. */
export interface SeatLockClientOptions {
  /**
   * One server: host:port, or any gRPC target, such as `unix:/run/seatlock.sock`. Needed unless
   * `servers` is given. A NAME:PORT whose name has several addresses is a list of servers, too.
   */
  readonly address?: string | undefined;
  /**
   * Several servers on one store, 1 to 64 of HOST:PORT; beats `address`. A name that has several
   * addresses stands for all of them. Each showtime has its preferred server; if that is away the
   * next one is asked. Give every caller the same list, in any order.
   */
  readonly servers?: readonly string[] | undefined;
  /** Default: plaintext. `true`: TLS with the authorities that Node trusts. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** For a call, its retries and pauses included. Default 5000. */
  readonly deadlineMs?: number | undefined;
  /** For one attempt: long enough for a slow disk, short enough to try again. Default 2000. */
  readonly attemptMs?: number | undefined;
  /**
   * Attempts after the first. Default 6: together with the pauses, through a restart. Going on to
   * another server at once, because nothing was done, is not counted: at most one attempt a server.
   */
  readonly retries?: number | undefined;
  /** Bounds of the pause before an attempt. Default 50 and 2000. */
  readonly backoffMs?: { readonly first: number; readonly max: number } | undefined;
  /**
   * After how long without a message a watch's stream is given up and opened anew: the service
   * sends one every 15 s at least. Default 40000.
   */
  readonly silenceMs?: number | undefined;
}

/** What each call may be given. */
export interface CallOptions {
  /** For this call, its retries and pauses included. Default: the client's. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call with the reason `CANCELLED`; a mutation may have happened even so. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The trace that the call belongs to, as the header `traceparent` of W3C Trace Context has it:
   * mostly that of the request being answered. What is no `traceparent` is ignored.
   */
  readonly traceparent?: string | null | undefined;
}

export interface Settings {
  readonly deadlineMs: number;
  readonly attemptMs: number;
  readonly retries: number;
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  readonly silenceMs: number;
}

/** How often the files of `tls` are looked at. */
const FILES_MS = 1_000;
const MS_MAX = 2 ** 31 - 1; // what setTimeout takes
const RETRIES_MAX = 100;

/** A time to wait, or a RangeError that names the option. */
export function spanMs(value: number, option: string): number {
  if (typeof value !== 'number' || !(value > 0) || value > MS_MAX) {
    throw new RangeError(`${option} must be above 0 and at most ${MS_MAX} ms, not ${value}`);
  }
  return value;
}

export function settingsOf(options: SeatLockClientOptions): Settings {
  const retries = options.retries ?? 6;
  if (!Number.isInteger(retries) || retries < 0 || retries > RETRIES_MAX) {
    throw new RangeError(`retries must be 0 to ${RETRIES_MAX}, not ${retries}`);
  }
  return {
    deadlineMs: spanMs(options.deadlineMs ?? 5_000, 'deadlineMs'),
    attemptMs: spanMs(options.attemptMs ?? 2_000, 'attemptMs'),
    retries,
    backoffFirstMs: spanMs(options.backoffMs?.first ?? 50, 'backoffMs.first'),
    backoffMaxMs: spanMs(options.backoffMs?.max ?? 2_000, 'backoffMs.max'),
    silenceMs: spanMs(options.silenceMs ?? 40_000, 'silenceMs'),
  };
}

const CHANNEL: ChannelOptions = {
  // The client retries by itself, which covers lost answers and deadlines too.
  'grpc.enable_retries': 0,
  // What the client needs is set here; a TXT record could only add a second retry policy.
  'grpc.service_config_disable_resolution': 1,
  // A watch may be idle; the service permits pings every 10 s, and answers faster than this.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  // gRPC's own pauses grow from 1 s to 2 minutes, far beyond a restart of the service.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

/** What `Servers` is made of: the one address, or the list, which it checks itself. */
export function serversOf({ address, servers }: SeatLockClientOptions): ServerList {
  if (servers !== undefined) return { list: servers };
  if (typeof address !== 'string' || address === '') {
    throw new TypeError('address must be host:port, such as 127.0.0.1:50051, or give servers');
  }
  return isNamePort(address) ? { list: [address] } : { address };
}

export function connectOf({ tls }: SeatLockClientOptions): Connect {
  if (!tls) {
    const plaintext = credentials.createInsecure();
    return ({ address }) => new Client(address, plaintext, CHANNEL);
  }
  const given: TlsOptions = tls === true ? {} : tls;
  const secure = credentialsOf(given);
  const { serverName } = given;
  return ({ address, host }) => {
    const name = serverName || host;
    return new Client(address, secure, name ? { ...CHANNEL, ...named(name) } : CHANNEL);
  };
}

function credentialsOf({ ca, cert, key, caFile, certFile, keyFile }: TlsOptions) {
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError('tls.cert and tls.key go together');
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new TypeError('tls.certFile and tls.keyFile go together');
  }
  if (caFile === undefined && certFile === undefined) {
    return credentials.createSsl(pem(ca), pem(key), pem(cert));
  }
  if (ca !== undefined || cert !== undefined) {
    throw new TypeError('tls takes texts (ca, cert, key) or paths (caFile …), not both');
  }
  if (caFile === undefined) throw new TypeError('tls.certFile and tls.keyFile need tls.caFile');
  const files = new experimental.FileWatcherCertificateProvider({
    caCertificateFile: caFile,
    certificateFile: certFile,
    privateKeyFile: keyFile,
    refreshIntervalMs: FILES_MS,
  });
  return experimental.createCertificateProviderChannelCredentials(files, certFile ? files : null);
}

const pem = (text: Uint8Array | string | undefined): Buffer | null =>
  text === undefined ? null : Buffer.from(text);

const named = (serverName: string): ChannelOptions => ({
  'grpc.ssl_target_name_override': serverName,
  'grpc.default_authority': serverName,
});
